//! What clients ask of the demo's server. Fields it does not know are ignored, as vLLM does.

mod chat;
mod common;
mod completion;
mod ids;
mod tokenize;

pub use chat::Chat;
pub use completion::Completion;
pub use tokenize::Tokenize;
