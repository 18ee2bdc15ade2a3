//! Chat templates: what makes a prompt of a chat.

mod begun;
mod chat_template;
mod dicts;
mod environment;
mod error;
mod json;
mod loops;
mod methods;
mod request;
mod rewrite;
mod roles;
mod scan;
mod tools;
mod turns;
mod values;
mod writer;

pub use chat_template::ChatTemplate;
pub use request::{Messages, RenderRequest};
pub use roles::plain_roles;
pub use writer::{ChatWriter, SystemRole};
