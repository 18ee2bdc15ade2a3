//! Documents in the file, and their terms.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;

use super::database::Trouble;
use super::profiles::found;
use super::schema::ProfileId;
use super::terms::{Language, indexed};
use super::{Document, PrivateText, ProfileName, Store, StoreError};

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

/// What an import came to, in documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Not there before.
    pub added: u64,
    /// There before with other content.
    pub updated: u64,
    /// There before, and the same.
    pub unchanged: u64,
}

impl Imported {
    /// Adds `other`'s counts.
    pub fn add(&mut self, other: Self) {
        self.added += other.added;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
    }
}

/// A document with what is derived from it, made ready outside of the transaction.
struct Prepared<'a> {
    document: &'a Document,
    key: String,
    hash: String,
    language: &'static str,
    title: String,
    body: String,
}

impl<'a> Prepared<'a> {
    fn new(document: &'a Document) -> Result<Self, StoreError> {
        let text = document.text.as_private_str();
        if text.len() > Document::MOST_TEXT_BYTES {
            return Err(StoreError::TooLarge {
                what: "a document's text",
                size: format!("{} bytes", text.len()),
                most: format!("{} bytes", Document::MOST_TEXT_BYTES),
            });
        }
        let hash = document.content_hash();
        let key = document.key.as_private_str();
        // A text too short to tell still has plurals, and English is the likeliest single guess. Questions are asked in the
        // languages of all documents, so a wrong one does little harm.
        let language = Language::of(text).unwrap_or(Language::ENGLISH);
        let tags = document.tags.iter().map(PrivateText::as_private_str);
        let title: Vec<&str> = [document.title.as_private_str()].into_iter().chain(tags).collect();
        Ok(Self {
            document,
            key: if key.is_empty() { hash.clone() } else { key.to_owned() },
            hash,
            language: language.code(),
            title: indexed(&title.join(" "), Some(language)),
            body: indexed(text, Some(language)),
        })
    }
}

impl Store {
    /// Puts documents into the profile, all or none. One whose key is there already replaces that one if it differs.
    ///
    /// # Errors
    /// [`StoreError::NoSuchProfile`], [`StoreError::TooLarge`].
    pub fn import(&self, name: &ProfileName, documents: &[Document]) -> Result<Imported, StoreError> {
        let prepared = documents.iter().map(Prepared::new).collect::<Result<Vec<_>, _>>()?;
        let imported = self.database.write(|transaction| {
            let id = found(transaction, name)?;
            let mut index = Index::new(transaction, id);
            let mut imported = Imported::default();
            for document in &prepared {
                match index.put(document)? {
                    Put::Added => imported.added += 1,
                    Put::Updated => imported.updated += 1,
                    Put::Unchanged => imported.unchanged += 1,
                }
            }
            index.finish()?;
            Ok(imported)
        })?;
        if imported.updated > 0 {
            self.database.sweep()?;
        }
        Ok(imported)
    }

    /// The profile's documents with ids above `after`, in rising order, at most `count`.
    ///
    /// # Errors
    /// [`StoreError::NoSuchProfile`].
    pub fn documents(
        &self,
        name: &ProfileName,
        after: DocumentId,
        count: usize,
    ) -> Result<Vec<StoredDocument>, StoreError> {
        self.database.read(|connection| {
            let id = found(connection, name)?;
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM documents WHERE profile = ? AND id > ? ORDER BY id LIMIT ?"
            ))?;
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            let rows = statement.query_map(params![id.0, after.0, count], document)?;
            Ok::<_, Trouble>(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// One document.
    ///
    /// # Errors
    /// [`StoreError::NoSuchProfile`], [`StoreError::NoSuchDocument`].
    pub fn document(&self, name: &ProfileName, wanted: DocumentId) -> Result<StoredDocument, StoreError> {
        self.database.read(|connection| {
            let id = found(connection, name)?;
            let document = read_document(connection, id, wanted)?;
            document.ok_or(Trouble::Store(StoreError::NoSuchDocument(wanted.0)))
        })
    }

    /// Deletes a document, so that no byte of it is left in the file.
    ///
    /// # Errors
    /// [`StoreError::NoSuchProfile`], [`StoreError::NoSuchDocument`], [`StoreError::NotSwept`].
    pub fn delete_document(&self, name: &ProfileName, unwanted: DocumentId) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            let id = found(transaction, name)?;
            let mut index = Index::new(transaction, id);
            index.remove(unwanted)?;
            index.finish()?;
            let deleted = transaction.execute(
                "DELETE FROM documents WHERE id = ? AND profile = ?",
                params![unwanted.0, id.0],
            )?;
            if deleted == 0 {
                return Err(StoreError::NoSuchDocument(unwanted.0).into());
            }
            Ok(())
        })?;
        self.database.sweep()
    }
}

const COLUMNS: &str = "id, key, title, text, time, source, tags";

/// A row of [`COLUMNS`].
fn document(row: &Row<'_>) -> rusqlite::Result<StoredDocument> {
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
pub(super) fn read_document(
    connection: &Connection,
    profile: ProfileId,
    id: DocumentId,
) -> rusqlite::Result<Option<StoredDocument>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM documents WHERE id = ? AND profile = ?"))?;
    statement.query_row(params![id.0, profile.0], document).optional()
}

enum Put {
    Added,
    Updated,
    Unchanged,
}

/// Changes to a profile's documents and their terms within one transaction. How often terms stand is added up and written
/// at the end.
struct Index<'a> {
    transaction: &'a Transaction<'a>,
    profile: ProfileId,
    /// By how much the numbers of documents with a term have changed.
    changes: BTreeMap<String, i64>,
}

impl<'a> Index<'a> {
    fn new(transaction: &'a Transaction<'a>, profile: ProfileId) -> Self {
        Self {
            transaction,
            profile,
            changes: BTreeMap::new(),
        }
    }

    fn put(&mut self, new: &Prepared<'_>) -> Result<Put, Trouble> {
        let mut known = self
            .transaction
            .prepare_cached("SELECT id, hash FROM documents WHERE profile = ? AND key = ?")?;
        let known = known
            .query_row(params![self.profile.0, new.key], |row| {
                Ok((DocumentId(row.get(0)?), row.get::<_, String>(1)?))
            })
            .optional()?;
        let id = match &known {
            Some((_, hash)) if *hash == new.hash => return Ok(Put::Unchanged),
            Some((id, _)) => {
                self.remove(*id)?;
                *id
            }
            None => DocumentId(0),
        };
        let document = new.document;
        let tags = serde_json::to_string(&document.tags).unwrap_or_default();
        // The id stays with the key: whoever has noted it finds the new text.
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO documents (id, profile, key, hash, title, text, time, source, tags, language)
             VALUES (nullif(?, 0), ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, title = excluded.title, text = excluded.text,
                time = excluded.time, source = excluded.source, tags = excluded.tags, language = excluded.language
             RETURNING id",
        )?;
        let id: i64 = statement.query_row(
            params![
                id.0,
                self.profile.0,
                new.key,
                new.hash,
                document.title.as_private_str(),
                document.text.as_private_str(),
                document.time.map(Timestamp::as_microsecond),
                document.source.as_private_str(),
                tags,
                new.language,
            ],
            |row| row.get(0),
        )?;
        let index = self.profile.index();
        let mut statement = self
            .transaction
            .prepare_cached(&format!("INSERT INTO {index} (rowid, title, body) VALUES (?, ?, ?)"))?;
        statement.execute(params![id, new.title, new.body])?;
        self.count(&new.title, &new.body, 1);
        Ok(if known.is_some() { Put::Updated } else { Put::Added })
    }

    /// Takes a document's terms out; the document itself stays where it is. Nothing happens where there is none.
    fn remove(&mut self, id: DocumentId) -> Result<(), Trouble> {
        let index = self.profile.index();
        let mut statement = self
            .transaction
            .prepare_cached(&format!("SELECT title, body FROM {index} WHERE rowid = ?"))?;
        let terms = statement
            .query_row([id.0], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
            .optional()?;
        if let Some((title, body)) = terms {
            self.count(&title, &body, -1);
            let mut statement = self
                .transaction
                .prepare_cached(&format!("DELETE FROM {index} WHERE rowid = ?"))?;
            statement.execute([id.0])?;
        }
        Ok(())
    }

    fn count(&mut self, title: &str, body: &str, by: i64) {
        let terms: BTreeSet<&str> = title
            .split(' ')
            .chain(body.split(' '))
            .filter(|term| !term.is_empty())
            .collect();
        for term in terms {
            match self.changes.get_mut(term) {
                Some(change) => *change += by,
                None => {
                    self.changes.insert(term.to_owned(), by);
                }
            }
        }
    }

    fn finish(self) -> Result<(), Trouble> {
        let mut change = self.transaction.prepare_cached(
            "INSERT INTO frequencies (profile, term, documents) VALUES (?, ?, ?)
             ON CONFLICT (profile, term) DO UPDATE SET documents = documents + excluded.documents
             RETURNING documents",
        )?;
        let mut forget = self
            .transaction
            .prepare_cached("DELETE FROM frequencies WHERE profile = ? AND term = ?")?;
        for (term, by) in self.changes.iter().filter(|(_, by)| **by != 0) {
            let left: i64 = change.query_row(params![self.profile.0, term, by], |row| row.get(0))?;
            if left <= 0 {
                forget.execute(params![self.profile.0, term])?;
            }
        }
        Ok(())
    }
}
