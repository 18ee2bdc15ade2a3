//! Answers as OpenAI's responses.

mod body;
mod frame;
mod items;
mod stream;

pub use body::body;
pub use frame::Frame;
pub use stream::ResponsesStream;
