use super::line;
use crate::store::{Document, NotAName};

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
    #[error("is longer than {} MiB; write it as several lines", line::MOST_BYTES >> 20)]
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
