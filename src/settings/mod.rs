//! Typed configuration: the compiled-in defaults, a file, the environment; validated once.

mod check;
mod error;
mod exposure;
mod load;
mod model;
mod renamed;
mod unknown;

pub use error::SettingsError;
pub use exposure::exposures;
pub use load::{Variables, effective, load};
pub use model::{Context, Device, Local, Log, LogFormat, OnUnsteerable, Server, Settings, Steering, Store, Upstream};
pub use renamed::Renamed;

/// `config/default.toml`, which documents every key.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");
