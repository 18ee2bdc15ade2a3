//! mistral.rs: directories in Hugging Face layout and GGUF files, one position at a time, and no way back.

mod engine;
mod logits_hook;
mod pool;

pub use engine::{Branch, Engine, EngineOptions, Precision};
pub use pool::SlotPool;
