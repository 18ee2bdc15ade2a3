//! The proxy's HTTP surface: the only place that knows axum and the OpenAI JSON that clients send.

mod answer;
mod chat;
mod cors;
mod error;
mod forward;
mod gate;
mod health;
mod local;
mod observe;
mod page;
mod patience;
mod personal;
mod private;
mod profiles;
mod prompts;
mod proxy;
mod request;
mod router;
mod serve;
mod shelf;
mod start;
mod steer;

pub use error::ApiError;
pub use observe::describe as describe_metrics;
pub use private::{ContextInput, PrivateInput};
pub use proxy::Proxy;
pub use request::{ChatRequest, CompletionRequest, Options};
pub use router::{metrics_router, router};
pub use serve::serve;
use steer::SteeredRequest;

pub use start::{StartError, Vocabularies, alignment, composer, load_lanes, replicas};
