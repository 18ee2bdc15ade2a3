//! Looks at everything a steered answer needs, and says what to change where something is wrong.

mod check;
mod examine;
mod local;
mod sample;
mod store;
mod tokenizers;
mod upstreams;

pub use check::{Check, Status};
pub use examine::examine;
