//! The small model on this machine, and the only room that knows mistral.rs.
//!
//! Everything above sees [`LocalModel`]: open two branches, feed a token, get two logits vectors; dropping the pair ends
//! the session and frees its slot.

mod contract;
mod engine;
mod error;
mod hub;
mod logits_hook;
mod pool;
mod source;

pub use contract::{BranchLogits, BranchPair, LocalModel, PairLogits, Slot};
pub use engine::{Branch, Engine, EngineOptions, Precision};
pub use error::LocalError;
pub use pool::{SlotLimits, SlotPool};
pub use source::{ModelSource, tokenizer_directory};
