use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{ImportError, mail};

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
        let unreadable = |source| ImportError::unreadable(path, source);
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
