//! Typed configuration: the compiled-in defaults, a file, the environment; validated once.

mod check;
mod edit;
mod error;
mod exposure;
mod load;
mod model;
mod place;
mod renamed;
mod sections;
mod unknown;

pub use edit::{EditError, keys_of, with_numbers};
pub use error::SettingsError;
pub use exposure::exposures;
pub use load::{Variables, effective, load};
pub use model::Settings;
pub use place::{found_file, usual_file};
pub use renamed::Renamed;
pub use sections::{Context, Device, Local, Log, LogFormat, OnUnsteerable, Preset, Server, Steering, Store, Upstream};

/// `config/default.toml`, which documents every key.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");
