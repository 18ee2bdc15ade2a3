use serde::Deserialize;
use serde_json::{Map, Value};

use super::common::Common;
use super::ids::{Message, chat_ids};
use crate::testkit::error::Refusal;
use crate::testkit::server::DemoServer;
use crate::vocabulary::TokenId;

/// `POST /v1/chat/completions`.
#[derive(Deserialize)]
pub struct Chat {
    #[serde(flatten)]
    pub common: Common,
    pub messages: Vec<Message>,
    chat_template_kwargs: Option<Map<String, Value>>,
}

impl Chat {
    /// The rendered chat as ids.
    pub fn prompt_ids(&self, server: &DemoServer) -> Result<Vec<TokenId>, Refusal> {
        chat_ids(&self.messages, self.chat_template_kwargs.as_ref(), server)
    }
}
