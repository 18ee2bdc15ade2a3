//! What a GGUF file says of its tokenizer.

mod files;
mod merges;
mod metadata;
mod patterns;
mod pre_tokenizers;
mod reader;
mod summary;
mod tokenizer;

pub use files::{config, is_gguf, tokenizer_config};
pub use metadata::GgufMetadata;
pub use summary::GgufSummary;
pub use tokenizer::to_json;
