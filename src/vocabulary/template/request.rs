use serde_json::{Map, Value};

use super::tools::CallForm;
use crate::vocabulary::ChatMessage;

/// What a chat template is to write.
pub struct RenderRequest<'a> {
    /// The chat.
    pub messages: Messages<'a>,
    /// Whether the prompt ends where the assistant's answer begins.
    pub add_generation_prompt: bool,
    /// The functions that the model may call, in OpenAI's form; null where there are none.
    pub tools: &'a Value,
    /// Further options that some templates know, such as `enable_thinking`. They win over everything but the chat.
    pub options: &'a Map<String, Value>,
}

/// A chat, as it is at hand.
#[derive(Clone, Copy)]
pub enum Messages<'a> {
    /// As steering knows it, with its calls in this form.
    Chat(&'a [ChatMessage], CallForm),
    /// As a client wrote it.
    Json(&'a [Value]),
}
