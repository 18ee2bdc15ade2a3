use std::fmt;
use std::path::PathBuf;

use super::super::{Document, NotAName};

/// Why something cannot be imported. Names the file and the place in it; never quotes what is written there, but for
/// the name of a field nobody knows.
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
        "{path} is of no known format: notes are a folder, or end in .md, .markdown or .txt; JSON lines end in .jsonl or .ndjson; mail ends in .mbox; ChatGPT's conversations end in .json"
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
    /// Whether nothing can be read after this.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::Entry { .. })
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
    /// A conversation of an export.
    Conversation(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Line(line) => write!(formatter, ", line {line}"),
            Self::Item { line, item } => write!(formatter, ", line {line}, item {item} of the history"),
            Self::Message(message) => write!(formatter, ", message {message}"),
            Self::Conversation(conversation) => write!(formatter, ", conversation {conversation}"),
        }
    }
}

/// What is wrong with one entry.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file of the entry cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// Bytes that are no UTF-8.
    #[error("is not UTF-8; save it in that encoding")]
    NotUtf8,
    /// No text, or only white space.
    #[error("has no text")]
    Blank,
    /// More than [`Document::MOST_TEXT_BYTES`].
    #[error("its text is longer than {} MiB; import it in parts", Document::MOST_TEXT_BYTES >> 20)]
    TooLong,
    /// A line of JSON that is not read into memory.
    #[error("is longer than {} MiB; write it as several lines", super::jsonl::MOST_LINE_BYTES >> 20)]
    LineTooLong,
    /// No JSON.
    #[error("is not JSON from column {column} on; every line must be one JSON object")]
    NotJson {
        /// Where, in bytes from 1.
        column: usize,
    },
    /// JSON that is none of what is expected.
    #[error(
        "is no object with a text (in text, content, output or body), nor one with a history or a profile, nor a line that CoSteer has exported (of type profile or document)"
    )]
    NotARecord,
    /// A field that an exported line cannot have.
    #[error("has an unknown field {field}; remove it")]
    UnknownField {
        /// Its name, shortened.
        field: String,
    },
    /// A field with something else in it than there should be.
    #[error("its field {field} is not {expected}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What should be there.
        expected: &'static str,
    },
    /// Nothing to call a profile by.
    #[error("has a profile or a history, but no name (in name or id)")]
    Nameless,
    /// Something no profile can be called by.
    #[error("its field {field} makes no name: {reason}")]
    Name {
        /// Where the name was looked for.
        field: &'static str,
        /// What a name is.
        reason: NotAName,
    },
    /// Something between two messages of a mailbox that is none.
    #[error("is no message, for it has no sender and no date; perhaps a line of the one before begins with \"From \"")]
    NotAMessage,
    /// An element of an export that is no conversation.
    #[error("is no conversation as ChatGPT exports it, for it has no mapping")]
    NotAConversation,
}
