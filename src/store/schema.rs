//! The tables, and how older files become newer ones.

use rusqlite::{Connection, Transaction};

/// The form this version writes; `PRAGMA user_version` holds a file's.
pub const LATEST: i64 = 2;

/// From form `n` to form `n + 1`.
const MIGRATIONS: [&str; LATEST as usize] = [FIRST, COPIES];

/// * `lines` are a profile's preferences and facts in their order.
/// * `documents.time` is in microseconds since 1970, UTC; `language` is ISO 639-3.
/// * `frequencies` says in how many documents of a profile a term stands. FTS5 can count that too, but only by reading every
///   occurrence, which takes longer than a search may.
///
/// Each profile's terms have a table of their own, see [`create_index`].
const FIRST: &str = "
CREATE TABLE profiles (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL
) STRICT;
CREATE TABLE lines (
    profile INTEGER NOT NULL REFERENCES profiles ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('preference', 'fact')),
    place INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (profile, kind, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    profile INTEGER NOT NULL REFERENCES profiles ON DELETE CASCADE,
    key TEXT NOT NULL,
    hash TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    time INTEGER,
    source TEXT NOT NULL,
    tags TEXT NOT NULL,
    language TEXT NOT NULL,
    UNIQUE (profile, key)
) STRICT;
CREATE INDEX documents_by_language ON documents (profile, language);
CREATE TABLE frequencies (
    profile INTEGER NOT NULL REFERENCES profiles ON DELETE CASCADE,
    term TEXT NOT NULL,
    documents INTEGER NOT NULL,
    PRIMARY KEY (profile, term)
) STRICT, WITHOUT ROWID;
";

/// `documents.copy` is [`copy_hash`](super::Document::copy_hash) where a document is a file.
const COPIES: &str = "
ALTER TABLE documents ADD COLUMN copy TEXT;
CREATE INDEX documents_by_copy ON documents (profile, copy) WHERE copy IS NOT NULL;
";

/// The form of a file; 0 for a new one.
pub fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings a file of form `from` to [`LATEST`].
pub fn migrate(transaction: &Transaction<'_>, from: i64) -> rusqlite::Result<()> {
    for migration in MIGRATIONS.iter().skip(usize::try_from(from).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", LATEST)
}

/// The number of a profile in the file; never used twice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ProfileId(pub i64);

impl ProfileId {
    /// The table of its terms: `title` (tags included) and `body`, both already in [terms](super::terms). The row is the
    /// document's. One table a profile, so that what is rare is rare among its own documents.
    pub fn index(self) -> String {
        format!("terms_{}", self.0)
    }
}

/// Makes the table of a profile's terms. What is deleted leaves it at once, not at the next merge of its segments.
pub fn create_index(connection: &Connection, profile: ProfileId) -> rusqlite::Result<()> {
    let index = profile.index();
    connection.execute_batch(&format!(
        "CREATE VIRTUAL TABLE {index} USING fts5(title, body, tokenize = 'ascii');
         INSERT INTO {index} ({index}, rank) VALUES ('secure-delete', 1);"
    ))
}

/// Takes it away.
pub fn drop_index(connection: &Connection, profile: ProfileId) -> rusqlite::Result<()> {
    connection.execute_batch(&format!("DROP TABLE {}", profile.index()))
}
