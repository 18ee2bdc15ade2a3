//! A real model behind real HTTP in vLLM's shapes: the demo's server and the tests' upstream.
//!
//! It serves `/v1/completions` with id prompts and log-probabilities of any top-k, `/v1/chat/completions`, `/v1/models`,
//! `/tokenize` and `/version`. It is no match for a serving engine. Shapes follow recorded answers of vLLM 0.32.

mod body;
mod chat;
mod completions;
mod error;
mod generation;
mod legacy;
mod logprobs;
mod pacing;
mod request;
mod routes;
mod server;
mod slots;
mod stream;
mod thought;
mod whole;

pub use pacing::Pacing;
pub use server::DemoServer;
