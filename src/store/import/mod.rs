//! Readers of what people have: notes, mail, conversations, and lines of JSON, among them those CoSteer itself exports.

mod chats;
mod error;
mod front_matter;
mod jsonl;
mod mail;
mod notes;
mod own;
mod record;
mod source;
mod times;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use error::{Fault, ImportError, Place};
pub use own::{document_line, profile_line};
use source::Counter;

use super::{Document, Profile, ProfileName};

/// Something to store.
pub enum Entry {
    /// A profile of that name.
    Profile(ProfileName, Profile),
    /// A document, of the named profile or of the one the user has named.
    Document(Option<ProfileName>, Document),
}

/// How something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An object of JSON a line.
    Jsonl,
    /// A text file, or a folder of them.
    Notes,
    /// A mailbox in one file (mbox).
    Mail,
    /// The conversations.json of ChatGPT's data export.
    Chats,
}

impl Format {
    /// What `path` seems to be, by its ending and, without one, by how it begins.
    ///
    /// # Errors
    /// [`ImportError::UnknownFormat`], which lists the formats, or [`ImportError::Unreadable`].
    pub fn of(path: &Path) -> Result<Self, ImportError> {
        let unreadable = |source| source::unreadable(path, source);
        if path.metadata().map_err(unreadable)?.is_dir() {
            return Ok(Self::Notes);
        }
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        Ok(match ending.as_str() {
            "md" | "markdown" | "txt" => Self::Notes,
            "jsonl" | "ndjson" => Self::Jsonl,
            "mbox" => Self::Mail,
            "json" => Self::Chats,
            _ => {
                let mut begin = Vec::new();
                let file = File::open(path).map_err(unreadable)?;
                file.take(mail::BEGIN.len() as u64)
                    .read_to_end(&mut begin)
                    .map_err(unreadable)?;
                if begin != mail::BEGIN {
                    return Err(ImportError::UnknownFormat { path: path.to_owned() });
                }
                Self::Mail
            }
        })
    }
}

type Entries = Box<dyn Iterator<Item = Result<Entry, ImportError>> + Send>;

/// Entries on their way in. After an error that [is fatal](ImportError::is_fatal) there are no more.
pub struct Reading {
    entries: Entries,
    size: u64,
    read: Counter,
    over: bool,
}

impl Reading {
    /// How much there is to read, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How much of it has been read, in bytes.
    pub fn read(&self) -> u64 {
        self.read.get()
    }
}

impl Iterator for Reading {
    type Item = Result<Entry, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.entries.next();
        self.over = next
            .as_ref()
            .is_none_or(|entry| entry.as_ref().is_err_and(ImportError::is_fatal));
        next
    }
}

/// Opens `path` to read it as `format`.
///
/// # Errors
/// An [`ImportError`] that says why nothing of it can be read.
pub fn open(path: &Path, format: Format) -> Result<Reading, ImportError> {
    let read = Counter::default();
    let file = || source::open(path, read.clone());
    let (entries, size): (Entries, u64) = match format {
        Format::Jsonl => {
            let (file, size) = file()?;
            (Box::new(jsonl::Records::new(path, file)), size)
        }
        Format::Notes => {
            let notes = notes::Notes::open(path, read.clone())?;
            let size = notes.size();
            (Box::new(notes), size)
        }
        Format::Mail => {
            let (file, size) = file()?;
            (Box::new(mail::Mailbox::open(path, file)?), size)
        }
        Format::Chats => {
            let (file, size) = file()?;
            (Box::new(chats::Conversations::new(path, file)), size)
        }
    };
    Ok(Reading {
        entries,
        size,
        read,
        over: false,
    })
}

/// `document`, if it can be stored.
fn checked(document: Document) -> Result<Document, Fault> {
    if document.text.is_blank() {
        Err(Fault::Blank)
    } else if document.text.as_private_str().len() > Document::MOST_TEXT_BYTES {
        Err(Fault::TooLong)
    } else {
        Ok(document)
    }
}

/// `text` as a title: on one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
