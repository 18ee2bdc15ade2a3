//! What token ids mean: their bytes, their roles, and how a chat becomes a sequence of them.
//!
//! This room knows files on disk and nothing else of ours; everything above speaks in [`TokenId`]s.

mod alignment;
mod bytes;
mod chat;
mod error;
mod files;
mod lexicon;
mod template;
mod tokenizer;

pub use alignment::{Alignment, AlignmentChoice, AlignmentKind, Leads, Overlap, Voices};
pub use bytes::{TextStream, TokenBytes};
pub use chat::{ChatMessage, Role};
pub use error::VocabularyError;
pub use files::{ModelFiles, resolve_path};
pub use lexicon::Lexicon;
pub use tokenizer::{TokenId, Tokenizer};
