//! Answers as Anthropic's messages.

mod body;
mod envelope;
mod stream;

pub use body::body;
pub use stream::MessagesStream;
