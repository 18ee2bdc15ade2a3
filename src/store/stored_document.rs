use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

use super::schema::ProfileId;
use super::{Document, PrivateText};

/// The number of a document in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct DocumentId(pub i64);

/// A document that is in the store.
#[derive(Serialize)]
pub struct StoredDocument {
    /// Its number.
    pub id: DocumentId,
    /// The document.
    #[serde(flatten)]
    pub document: Document,
}

/// What [`from_row`] reads.
pub const COLUMNS: &str = "id, key, title, text, time, source, tags";

/// The document in a row of [`COLUMNS`].
pub fn from_row(row: &Row<'_>) -> rusqlite::Result<StoredDocument> {
    let text = |index| row.get::<_, String>(index).map(PrivateText::from);
    let tags: String = row.get(6)?;
    let unreadable = |error| rusqlite::Error::FromSqlConversionFailure(6, rusqlite::types::Type::Text, Box::new(error));
    Ok(StoredDocument {
        id: DocumentId(row.get(0)?),
        document: Document {
            key: text(1)?,
            title: text(2)?,
            text: text(3)?,
            time: row
                .get::<_, Option<i64>>(4)?
                .and_then(|time| Timestamp::from_microsecond(time).ok()),
            source: text(5)?,
            tags: serde_json::from_str(&tags).map_err(unreadable)?,
        },
    })
}

/// One document of the profile, if it is there.
pub fn read_document(
    connection: &Connection,
    profile: ProfileId,
    id: DocumentId,
) -> rusqlite::Result<Option<StoredDocument>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM documents WHERE id = ? AND profile = ?"))?;
    statement.query_row(params![id.0, profile.0], from_row).optional()
}
