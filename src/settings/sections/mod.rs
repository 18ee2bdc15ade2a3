//! The sections of the configuration, a file each.

mod context;
mod local;
mod log;
mod server;
mod steering;
mod store;
mod upstream;
mod values;
mod vocabulary;

pub use context::Context;
pub use local::{Device, Local};
pub use log::{Log, LogFormat};
pub use server::Server;
pub use steering::{OnUnsteerable, Preset, Steering};
pub use store::Store;
pub use upstream::Upstream;
pub use vocabulary::Vocabulary;
