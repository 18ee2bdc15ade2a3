//! Documents of a profile.

use rusqlite::params;
use serde::Serialize;

use super::index::{Index, Prepared, Put};
use super::profiles::found;
use super::stored_document::{COLUMNS, from_row, read_document};
use super::trouble::Trouble;
use super::{Document, DocumentId, ProfileName, Store, StoreError, StoredDocument};

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

impl Store {
    /// Puts documents into the profile, all or none. One whose key is there already replaces that one if it differs.
    ///
    /// # Errors
    /// [`StoreError::NoSuchProfile`], [`StoreError::TooLarge`].
    pub fn import(&self, name: &ProfileName, documents: &[Document]) -> Result<Imported, StoreError> {
        let prepared = documents.iter().map(Prepared::new).collect::<Result<Vec<_>, _>>()?;
        let (imported, replaces) = self.database.write(|transaction| {
            let id = found(transaction, name)?;
            let mut index = Index::new(transaction, id);
            let (mut imported, mut replaces) = (Imported::default(), false);
            for document in &prepared {
                let put = index.put(document)?;
                replaces |= matches!(put, Put::Updated | Put::Renamed);
                match put {
                    Put::Added => imported.added += 1,
                    Put::Updated => imported.updated += 1,
                    Put::Renamed | Put::Unchanged => imported.unchanged += 1,
                }
            }
            index.finish()?;
            Ok((imported, replaces))
        })?;
        if replaces {
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
            let rows = statement.query_map(params![id.0, after.0, count], from_row)?;
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
