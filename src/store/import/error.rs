use std::fmt;
use std::path::{Path, PathBuf};

use super::Fault;

/// Why something cannot be imported. It names the file and the place in it. The one thing it quotes from the file is the name of
/// an unknown field.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file or folder cannot be read at all, or not to its end.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Nothing tells what the file is.
    #[error(
        "{path} is of no known format: notes end in .md, .markdown, .txt, .org, .rst or .html; records in .jsonl, .ndjson, .json or .csv; mail in .mbox, .eml or .emlx; exports of chats in .json, .txt or .zip; --format says what it is"
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The file as a whole is not what it should be.
    #[error("{path}: {reason}")]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong and what would be right.
        reason: &'static str,
    },
    /// One file among others is not usable.
    #[error("{0}")]
    OfMany(Box<ImportError>),
    /// One entry is not usable. Others may come after it.
    #[error("{path}{place}: {fault}")]
    Entry {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        place: Place,
        /// What is wrong.
        fault: Fault,
    },
}

impl ImportError {
    /// The error for an entry of the file at `path`.
    pub fn entry(path: &Path, place: Place, fault: Fault) -> Self {
        Self::Entry {
            path: path.to_owned(),
            place,
            fault,
        }
    }

    /// The error for a file or folder that cannot be read.
    pub fn unreadable(path: &Path, source: std::io::Error) -> Self {
        Self::Unreadable {
            path: path.to_owned(),
            source,
        }
    }

    /// Whether nothing can be read after this.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::Entry { .. } | Self::OfMany(_))
    }
}

/// Where in a file something is, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Everywhere: the file is one entry.
    File,
    /// A line of JSON.
    Line(u64),
    /// An item of the history in a line of JSON.
    Item {
        /// The line.
        line: u64,
        /// The item.
        item: usize,
    },
    /// A message of a mailbox.
    Message(u64),
    /// A value in a file of JSON.
    Value(u64),
    /// A row of a table.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Line(line) => write!(formatter, ", line {line}"),
            Self::Item { line, item } => write!(formatter, ", line {line}, item {item} of the history"),
            Self::Message(message) => write!(formatter, ", message {message}"),
            Self::Value(value) => write!(formatter, ", entry {value}"),
            Self::Row(row) => write!(formatter, ", row {row}"),
        }
    }
}
