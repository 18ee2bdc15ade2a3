//! llama.cpp's server, on its own `/completion`: token ids in and out, lists of any length.
//!
//! Source: the server's README and recorded answers of it. Two traps shape this driver. A token that leaves the text inside
//! a character is withheld until the character is whole, and its list never comes; such a position is asked for once
//! more, alone, with the end of turn forced, which changes what is sampled and not what is listed. And a request that is
//! not streamed goes on computing when its client has left, so everything longer than one position is streamed.

mod driver;
mod slots;
mod wire;

pub use driver::{LIMITS, LlamaCpp};
