//! Checking a store, and changing its key.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use secrecy::ExposeSecret;

use super::database::Database;
use super::file::{self, is_plain};
use super::key::{KeySource, sqlcipher};
use super::schema::{LATEST, ProfileId};
use super::trouble::Trouble;
use super::{Store, StoreError};

/// How much is in a store.
pub struct Census {
    /// Number of profiles.
    pub profiles: u64,
    /// Number of documents of all of them.
    pub documents: u64,
    /// Whether the file is encrypted.
    pub encrypted: bool,
}

impl Store {
    /// Looks through the whole file for contradictions.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] saying what does not fit.
    pub fn check(&self) -> Result<Census, StoreError> {
        // On a fresh connection. An older one remembers the index as it was, and FTS5 (3.54) takes what others have written since for
        // damage.
        self.database.apart(|transaction| {
            let said: String = transaction.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
            if said != "ok" {
                return Err(self.damaged(said).into());
            }
            let mut statement = transaction.prepare("SELECT id FROM profiles")?;
            let profiles = statement.query_map([], |row| row.get(0).map(ProfileId))?;
            for profile in profiles {
                self.check_terms(transaction, profile?)?;
            }
            let count = |table: &str| {
                transaction.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                    row.get::<_, i64>(0).map(i64::cast_unsigned)
                })
            };
            Ok(Census {
                profiles: count("profiles")?,
                documents: count("documents")?,
                encrypted: is_plain(self.path()) == Some(false),
            })
        })
    }

    /// Checks that a profile's table of terms is sound, that it has all its documents and no others, and that the counts are right.
    fn check_terms(&self, connection: &Connection, profile: ProfileId) -> Result<(), Trouble> {
        let index = profile.index();
        connection.execute_batch(&format!(
            "INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 0)"
        ))?;
        let other: i64 = connection.query_row(
            &format!(
                "SELECT (SELECT count(*) FROM documents WHERE profile = ?1 AND id NOT IN (SELECT rowid FROM {index}))
                    + (SELECT count(*) FROM {index} WHERE rowid NOT IN (SELECT id FROM documents WHERE profile = ?1))"
            ),
            params![profile.0],
            |row| row.get(0),
        )?;
        if other > 0 {
            return Err(self
                .damaged(format!("{other} documents and {index} do not fit together"))
                .into());
        }
        connection.execute_batch(&format!(
            "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, {index}, 'row')"
        ))?;
        let other: i64 = connection.query_row(
            "SELECT (SELECT count(*) FROM vocabulary)
                + (SELECT count(*) FROM frequencies WHERE profile = ?1)
                - 2 * (SELECT count(*) FROM vocabulary v JOIN frequencies f
                       ON f.profile = ?1 AND f.term = v.term AND f.documents = v.doc)",
            params![profile.0],
            |row| row.get(0),
        )?;
        connection.execute_batch("DROP TABLE temp.vocabulary")?;
        if other > 0 {
            return Err(self.damaged(format!("{other} frequencies do not fit {index}")).into());
        }
        Ok(())
    }

    fn damaged(&self, what: String) -> StoreError {
        StoreError::Damaged {
            path: self.path().to_owned(),
            what,
        }
    }
}

/// Encrypts a plain store, or makes an encrypted one plain: everything is written into a new file, which replaces the old one. The
/// bytes of the old file are not overwritten; they stay on the disk until the file system needs the room.
///
/// # Errors
/// [`StoreError::InUse`] while anybody else has the store open; what reading, writing or the key said.
pub fn recode(path: &Path, from: &KeySource, to: &KeySource) -> Result<(), StoreError> {
    let new_key = to.key_or_new()?;
    let file_trouble = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::WouldBlock => StoreError::InUse { path: path.to_owned() },
        _ => StoreError::File {
            path: path.to_owned(),
            source,
        },
    };
    file::make(path).map_err(file_trouble)?;
    // Held to the end: whoever opens the store meanwhile waits, and then finds the new file.
    let lock = file::own(path).map_err(file_trouble)?;
    let database = Database::open_locked(path, from.key()?, lock)?;
    let connection = database.alone();
    // SQLite leaves the mode of the write-ahead log only where no other connection is open.
    let mode = connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0));
    if !mode.is_ok_and(|mode| mode == "delete") {
        return Err(StoreError::InUse { path: path.to_owned() });
    }
    // What knows nothing of the lock, such as an older version, is kept out by SQLite's own.
    let excluded = connection
        .pragma_update(None, "locking_mode", "EXCLUSIVE")
        .and_then(|()| connection.execute_batch("BEGIN EXCLUSIVE; COMMIT"));
    excluded.map_err(|error| StoreError::sqlite(path, &error))?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(file_trouble(error)),
        _ => {}
    }
    // Like every store's file, only its owner may read it.
    file::make(&beside).map_err(file_trouble)?;
    let key = new_key.as_ref().map(sqlcipher);
    let key = key.as_ref().map_or("", |key| key.expose_secret());
    let copied = (|| {
        connection.execute(
            "ATTACH DATABASE ? AS beside KEY ?",
            params![beside.to_string_lossy(), key],
        )?;
        connection.query_row("SELECT sqlcipher_export('beside')", [], |_| Ok(()))?;
        connection.pragma_update(Some("beside"), "user_version", LATEST)?;
        connection.execute("DETACH DATABASE beside", [])
    })();
    let replaced = copied
        .map_err(|error| StoreError::sqlite(path, &error))
        .and_then(|_| std::fs::rename(&beside, path).map_err(file_trouble));
    if replaced.is_err() {
        // It may be the plain form of an encrypted store. The error to show is the first.
        let _best_effort = std::fs::remove_file(&beside);
    }
    replaced
}
