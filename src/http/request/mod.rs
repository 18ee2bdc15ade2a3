//! Reading what clients ask for, as far as steering understands it.

mod chat;
mod completion;
mod error;
mod options;
mod read;
mod template;

pub use chat::chat_request;
pub use completion::completion_request;
pub use error::RequestError;
