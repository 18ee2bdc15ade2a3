//! A real model behind real HTTP in vLLM's shapes: the demo's server and the tests' upstream.
//!
//! It serves `/v1/completions` with id prompts and log-probabilities of any top-k, `/v1/chat/completions`, `/v1/models`,
//! `/tokenize` and `/version`. It is no match for a serving engine. Shapes follow recorded answers of vLLM 0.32.

mod chat;
mod completions;
mod error;
mod generation;
mod logprobs;
mod request;
mod server;
mod slots;

pub use server::{DemoServer, Pacing};
