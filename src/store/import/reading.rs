use std::path::Path;

use super::source::{self, Counter};
use super::{Entry, Format, ImportError, chats, jsonl, mail, notes};

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
