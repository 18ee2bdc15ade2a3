//! Readers of what people have: notes, mail, conversations, and lines of JSON. Among the lines of JSON are those that CoSteer itself
//! exports.

mod chats;
mod entry;
mod error;
mod fault;
mod format;
mod front_matter;
mod jsonl;
mod line;
mod mail;
mod notes;
mod own;
mod reading;
mod record;
mod source;
mod times;

pub use entry::Entry;
pub use error::{ImportError, Place};
pub use fault::Fault;
pub use format::Format;
pub use own::{document_line, profile_line};
pub use reading::{Reading, open};

#[cfg(test)]
mod tests;
