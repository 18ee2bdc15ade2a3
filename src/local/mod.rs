//! The small model on this machine, and the only room that knows its engines.
//!
//! Everything above sees [`LocalModel`]: open two branches, extend both, get the logits after each token, go back; dropping the
//! pair ends the session, and dropping the slot frees it.

mod contract;
mod error;
mod hub;
mod llama_memory;
mod llama_options;
#[cfg(feature = "llamacpp")]
mod llamacpp;
mod machine;
mod mistral;
mod owner;
mod places;
mod source;
mod start;
pub mod worker;

pub use contract::{BranchPair, LocalModel, PairLogits, Rows, Slot};
pub use error::LocalError;
pub use hub::{FileSet, Wanted, hub_cache, hub_cached, hub_file, hub_size, is_hub_id};
pub use llama_memory::{WINDOW, memory_of};
pub use llama_options::{KvType, LlamaOptions};
pub use machine::{cores, free_disk, free_memory};
pub use mistral::{Branch, Engine, EngineOptions, Precision, SlotPool};
pub use owner::Owner;
pub use places::SlotLimits;
pub use source::{ModelSource, tokenizer_source};
pub use start::{EngineChoice, ModelOptions, start};
