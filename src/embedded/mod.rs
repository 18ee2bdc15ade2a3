//! A small upstream server on mistral.rs that speaks vLLM's dialect: `/v1/completions` with id prompts and
//! log-probabilities of any top-k, `/v1/chat/completions`, `/v1/models`, `/version`.
//!
//! It is real (a real model behind real HTTP), but it is no match for a serving engine: it is for the demo, for tests,
//! and for trying a model from a directory. Shapes follow recorded answers of vLLM 0.32.

mod chat;
mod completions;
mod error;
mod generation;
mod logprobs;
mod request;
mod server;
mod slots;

pub use server::{EmbeddedUpstream, Pacing};
