//! What token ids mean: their bytes, their roles, and how a chat becomes a sequence of them.
//!
//! This room knows files on disk and no other room. The rooms above it speak in [`TokenId`]s.

mod alignment;
mod alignment_kind;
mod bytes;
mod calling;
mod chat;
mod error;
mod files;
mod gguf;
mod length;
mod lexicon;
mod marks;
mod overlap;
mod pairing;
mod split;
mod template;
mod text_stream;
mod thinking;
mod token_id;
mod token_map;
mod tokenizer;
mod tokenizer_file;

pub use alignment::{Alignment, Leads};
pub use alignment_kind::{AlignmentChoice, AlignmentKind};
pub use bytes::TokenBytes;
#[cfg(test)]
pub use calling::tests as calls_of_families;
pub use calling::{Calling, Part, ToolCall, WrittenCalls};
pub use chat::{ChatMessage, Role, TOOL_CALLS, TemplateOptions, texts_of};
pub use error::VocabularyError;
pub use files::{ModelFiles, resolve_path};
pub use gguf::GgufSummary;
pub use lexicon::Lexicon;
pub use marks::{is_blank, longest_beginning, position_of};
pub use overlap::Overlap;
pub use template::{ChatTemplate, Messages, RenderRequest, SystemRole, plain_roles};
pub use text_stream::TextStream;
pub use thinking::{Opening, Thinking, channels};
pub use token_id::TokenId;
pub use token_map::TokenMap;
pub use tokenizer::Tokenizer;
