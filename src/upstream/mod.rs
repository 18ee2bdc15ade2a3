//! The big model's servers. Everything here is public by construction: this room cannot name the private context.
//!
//! A driver (`vllm`, `llamacpp`, `sglang`, `ollama`, `completions`, `openai_chat`) turns a prefix of token ids into a stream of [`Position`]s. A position
//! has the token that the server proposes, and the most likely candidates, given the server's own earlier proposals.
//! [`Server`] finds out which driver a server needs; [`Replicas`] chooses among servers and goes on where one fails.

mod affinity;
mod answer;
mod completions;
mod connection;
mod contract;
mod describe;
mod driver_kind;
mod error;
mod extra;
mod failover;
mod forward;
mod health;
mod host;
mod hosts;
mod identify;
mod lenient;
mod llamacpp;
mod looks;
mod named;
mod ollama;
mod openai_chat;
mod position;
mod position_source;
mod prefix_text;
mod ranking;
mod reader;
mod recognise;
mod refusal;
mod replica;
mod replicas;
mod request;
mod server;
mod sglang;
mod signs;
mod timeouts;
mod tokenize;
mod unpack;
mod unsteerable;
mod vllm;
mod vocabulary_check;
mod vocabulary_probe;

pub use affinity::Affinity;
pub use connection::{Connection, bearer};
pub use contract::{Positions, Reply, Upstream};
pub use describe::{Description, RequestLimits, ServedModel};
pub use driver_kind::Driver;
pub use error::{Problem, UpstreamError, innermost};
pub use extra::Extra;
pub use forward::Forwarded;
pub use host::is_this_machine;
pub use identify::{Identity, identify};
pub use position::Position;
pub use refusal::MOST_ERROR_BYTES;
pub use replicas::{Readiness, Replicas, Retries};
pub use request::{Caller, CandidateQuery, CandidateRequest, PositionRequest, Prefix};
pub use server::Server;
pub use timeouts::Timeouts;
pub use unsteerable::{UNSTEERABLE, Unsteerable};
pub use vocabulary_check::ServedVocabulary;
