//! Writing documents together with their search terms.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::schema::ProfileId;
use super::terms::{Language, indexed};
use super::trouble::Trouble;
use super::{Document, DocumentId, PrivateText, StoreError};

/// A document with what is derived from it, made ready outside of the transaction.
pub struct Prepared<'a> {
    document: &'a Document,
    key: String,
    hash: String,
    /// What finds a copy of the same file; `None` where the document is none.
    copy: Option<String>,
    /// The same under the name that the first version gave it.
    former_copy: Option<String>,
    language: &'static str,
    title: String,
    body: String,
}

impl<'a> Prepared<'a> {
    pub fn new(document: &'a Document) -> Result<Self, StoreError> {
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
        let is_of_a_file = key.starts_with(Document::FILE);
        // The language of a short text cannot be told. English is the likeliest one then. A wrong guess does little harm, because
        // questions are stemmed in the languages of all documents.
        let language = Language::of(text).unwrap_or(Language::ENGLISH);
        let tags = document.tags.iter().map(PrivateText::as_private_str);
        let title: Vec<&str> = [document.title.as_private_str()].into_iter().chain(tags).collect();
        Ok(Self {
            document,
            key: if key.is_empty() { hash.clone() } else { key.to_owned() },
            hash,
            copy: is_of_a_file.then(|| document.copy_hash()),
            former_copy: document.former_copy_hash().filter(|_| is_of_a_file),
            language: language.code(),
            title: indexed(&title.join(" "), Some(language)),
            body: indexed(text, Some(language)),
        })
    }
}

/// What [`Index::put`] did.
pub enum Put {
    Added,
    Updated,
    /// It has another key now, and the same content.
    Renamed,
    Unchanged,
}

/// Changes a profile's documents and their terms within one transaction. How many documents have a term is counted meanwhile and
/// written at the end.
pub struct Index<'a> {
    transaction: &'a Transaction<'a>,
    profile: ProfileId,
    /// By how much the numbers of documents with a term have changed.
    changes: BTreeMap<String, i64>,
}

impl<'a> Index<'a> {
    pub fn new(transaction: &'a Transaction<'a>, profile: ProfileId) -> Self {
        Self {
            transaction,
            profile,
            changes: BTreeMap::new(),
        }
    }

    pub fn put(&mut self, new: &Prepared<'_>) -> Result<Put, Trouble> {
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
            None => match self.copy_of(new)? {
                Some(found) => return Ok(found),
                None => DocumentId(0),
            },
        };
        let document = new.document;
        let tags = serde_json::to_string(&document.tags).unwrap_or_default();
        // A key keeps its id, so that an id noted earlier leads to the new text.
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO documents (id, profile, key, hash, title, text, time, source, tags, language, copy)
             VALUES (nullif(?, 0), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, title = excluded.title, text = excluded.text,
                time = excluded.time, source = excluded.source, tags = excluded.tags, language = excluded.language,
                copy = excluded.copy
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
                new.copy,
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

    /// What becomes of the same file under another name, where there is one. The name of another place stays, because both may be there.
    /// One that the first version has made gives way, so that the file is known by its place from now on, also when it changes.
    fn copy_of(&self, new: &Prepared<'_>) -> Result<Option<Put>, Trouble> {
        let Some(copy) = &new.copy else { return Ok(None) };
        let mut statement = self.transaction.prepare_cached(
            "SELECT id, key GLOB ?4 || '*' AS placed FROM documents
             WHERE profile = ?1 AND (copy = ?2 OR (copy = ?3 AND NOT placed)) ORDER BY placed DESC",
        )?;
        let found = statement.query_row(params![self.profile.0, copy, new.former_copy, Document::FILE], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?))
        });
        let Some((id, is_placed)) = found.optional()? else {
            return Ok(None);
        };
        if is_placed {
            return Ok(Some(Put::Unchanged));
        }
        let document = new.document;
        let mut statement = self
            .transaction
            .prepare_cached("UPDATE documents SET key = ?, hash = ?, time = ?, source = ?, copy = ? WHERE id = ?")?;
        statement.execute(params![
            new.key,
            new.hash,
            document.time.map(Timestamp::as_microsecond),
            document.source.as_private_str(),
            copy,
            id
        ])?;
        Ok(Some(Put::Renamed))
    }

    /// Takes a document's terms out; the document itself stays where it is. Nothing happens where there is none.
    pub fn remove(&mut self, id: DocumentId) -> Result<(), Trouble> {
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

    pub fn finish(self) -> Result<(), Trouble> {
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
