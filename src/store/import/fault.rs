use super::line;
use crate::store::{Document, NotAName};

/// What is wrong with one entry.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file of the entry cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// Bytes that are no text.
    #[error("is no text")]
    NotText,
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
        "is no object with a text (in text, content, output or body), no conversation, nothing with a history or a profile, and nothing that CoSteer has exported (of type profile or document)"
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
    #[error("is no message, for it has no sender and no date")]
    NotAMessage,
    /// JSON that ends within a value.
    #[error("is cut off; what came before it is whole")]
    CutOff,
    /// A value that stays no JSON after all mending.
    #[error("is not JSON")]
    NotAValue,
    /// A chat in which nobody is known to be its owner.
    #[error("does not tell which of its people you are; --me takes your name as it stands there")]
    Nobody,
    /// A row of a table that cannot be read.
    #[error("is not as the header says")]
    NotARow,
    /// A packed file.
    #[error("cannot be unpacked: {0}")]
    Packed(&'static str),
}
