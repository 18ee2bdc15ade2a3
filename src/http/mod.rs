//! The proxy's HTTP surface: the only place that knows axum and the OpenAI JSON that clients send.

mod answer;
mod chat;
mod error;
mod forward;
mod private;
mod proxy;
mod request;
mod router;
mod start;
mod steer;

pub use error::ApiError;
pub use private::{ContextInput, PrivateInput};
pub use proxy::Proxy;
pub use request::{ChatRequest, CompletionRequest, Options};
pub use router::{router, serve};
use steer::SteeredRequest;

pub use start::{StartError, Vocabularies, load_lanes, replicas};
