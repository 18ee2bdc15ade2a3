//! Answers as OpenAI's chat completions and completions.

mod body;
mod calls;
mod logprobs;
mod shared;
mod stream;

pub use body::body;
pub use logprobs::rows;
pub use stream::OpenaiStream;
