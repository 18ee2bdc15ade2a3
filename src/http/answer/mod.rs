//! The shapes of a steered answer: one body, or a stream of parts.

mod collected;
mod headers;
mod logprobs;
mod piece;
mod shared;
mod stops;
mod stream;
mod trace;

pub use collected::collected;
pub use stream::streamed;
