use serde::Deserialize;
use serde_json::{Map, Value};

use super::ids::{Message, chat_ids, text_ids};
use crate::testkit::error::Refusal;
use crate::testkit::server::DemoServer;
use crate::vocabulary::TokenId;

/// What is to become ids: a text or a chat, whichever there is.
#[derive(Deserialize)]
pub struct Tokenize {
    prompt: Option<String>,
    messages: Option<Vec<Message>>,
    chat_template_kwargs: Option<Map<String, Value>>,
}

impl Tokenize {
    /// The ids.
    pub fn ids(&self, server: &DemoServer) -> Result<Vec<TokenId>, Refusal> {
        match (&self.prompt, &self.messages) {
            (Some(text), _) => text_ids(text, server),
            (None, Some(messages)) => chat_ids(messages, self.chat_template_kwargs.as_ref(), server),
            (None, None) => Err(Refusal::bad("prompt", "Give a prompt or messages.")),
        }
    }
}
