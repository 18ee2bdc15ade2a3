//! What the product does, whoever asks: from a public request, what it is to be steered by, and options to a stream of events.
//!
//! The routes of [`crate::http`], the commands, the checks of [`crate::doctor`] and the benches all use this; none of it knows how
//! a request was written.

mod blocking;
mod defaults;
mod error;
mod model;
mod open;
mod personal;
mod prompts;
mod refused;
mod request;
mod root;
mod slots;
mod start_error;
mod steered;
mod store_handle;
mod structures;
mod thoughts;
mod toolset;
mod upstreams;
mod vocabularies;
mod watch;
mod written;

pub use blocking::apart;
pub use defaults::Defaults;
pub use error::ServiceError;
pub use model::load_model;
pub use personal::{ContextInput, Personal, PrivateInput};
pub use prompts::{Composed, Prompts};
pub use request::{Asked, Options, PublicRequest};
pub use root::Service;
pub use slots::GivenSlot;
pub use start_error::StartError;
pub use steered::{Opened, SteeredRequest};
pub use store_handle::StoreHandle;
pub use structures::Structures;
pub use thoughts::Thoughts;
pub use toolset::Toolset;
pub use upstreams::replicas;
pub use vocabularies::Vocabularies;
