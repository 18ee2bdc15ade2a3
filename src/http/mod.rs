//! The proxy's HTTP surface: the gate, the routes, and the JSON of OpenAI's and Anthropic's APIs that clients send.

mod access;
mod answer;
mod anthropic;
mod api;
mod app;
mod chat;
mod cors;
mod count;
mod error;
mod forward;
mod gate;
mod headers;
mod health;
mod inspect;
mod loopback;
mod model_name;
mod models;
mod observe;
mod page;
mod preview;
mod private;
mod profiles;
mod request;
mod router;
mod serve;
mod status;
mod tuning;
mod unread;
mod user;

pub use app::App;
pub use error::ApiError;
pub use observe::describe as describe_metrics;
pub use request::{RequestError, chat_request};
pub use router::{metrics_router, router};
pub use serve::serve;
