//! Readers of what people have: notes, mail, chats, and records. Among the records are those that CoSteer itself exports.

mod archive;
mod batches;
mod encoding;
mod entry;
mod error;
mod fault;
mod file;
mod folder;
mod format;
mod front_matter;
mod heading;
mod html;
mod json;
mod jsonl;
mod line;
mod mail;
mod notes;
mod own;
mod place;
mod reading;
mod recognise;
mod record;
mod source;
mod table;
mod times;
mod wanted;
mod whatsapp;
mod yaml;

pub use batches::Batches;
pub use encoding::decode;
pub use entry::{Entry, Skip};
pub use error::{ImportError, Place};
pub use fault::Fault;
pub use format::Format;
pub use own::{document_line, profile_line};
pub use reading::{Reading, given, open};
pub use wanted::Wanted;

#[cfg(test)]
mod tests;
