//! Reading what clients ask for, as far as steering understands it. An API's own fields are a type beside its function; what APIs have in common
//! is read from the rest of the body, in one place.

mod chat;
mod completion;
mod continued;
mod conversation;
mod error;
mod messages;
mod options;
mod others;
mod read;
mod responses;
mod structure;
mod template;
mod tools;
mod typed;

pub use chat::chat_request;
pub use completion::completion_request;
pub use error::RequestError;
pub use messages::{messages_request, prompt_request};
pub use responses::responses_request;

#[cfg(test)]
mod tests;
