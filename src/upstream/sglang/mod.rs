//! SGLang, on its own `/generate`: token ids in and out, lists of any length, single tokens by id.
//!
//! Source: SGLang's documentation of sampling parameters and native APIs. Its numbers are those of the model at temperature
//! 0, before penalties.

mod driver;
mod wire;

pub use driver::{LIMITS, Sglang};
