//! Reading what clients ask for, as far as steering understands it. Requests of other APIs are written as chats first.

mod any;
mod chat;
mod completion;
mod continued;
mod converted;
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

pub use any::{any_chat, any_completion};
pub use chat::chat_request;
pub use error::RequestError;
pub use messages::{messages_request, prompt_request};
pub use responses::responses_request;
