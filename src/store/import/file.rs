use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::source::{Memory, Source};
use super::{Entry, Fault, ImportError, Place, Wanted};

/// A file on its way in, from the disk or out of a packed one.
pub struct File {
    /// What errors call it.
    pub path: PathBuf,
    /// Its absolute place, which keys are made of.
    pub place: PathBuf,
    /// When it was last changed.
    pub modified: Option<Timestamp>,
    /// Its size in bytes.
    pub size: u64,
    /// What is in it.
    pub source: Source,
    /// All of it, where it is not on the disk.
    pub memory: Option<Memory>,
    /// What is wanted of it.
    pub wanted: Arc<Wanted>,
}

impl File {
    /// The error for something in it.
    pub fn error(&self, place: Place, fault: Fault) -> ImportError {
        ImportError::entry(&self.path, place, fault)
    }
}

/// What was read of a file.
pub type Entries = Box<dyn Iterator<Item = Result<Entry, ImportError>> + Send>;

/// Entries that end after the first error that [is fatal](ImportError::is_fatal).
pub fn until_fatal(mut entries: impl Iterator<Item = Result<Entry, ImportError>> + Send + 'static) -> Entries {
    let mut over = false;
    Box::new(std::iter::from_fn(move || {
        if over {
            return None;
        }
        let next = entries.next();
        over = next
            .as_ref()
            .is_none_or(|entry| entry.as_ref().is_err_and(ImportError::is_fatal));
        next
    }))
}
