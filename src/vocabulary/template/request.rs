use serde_json::{Map, Value};

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

impl<'a> RenderRequest<'a> {
    /// A chat without tools and options, with the beginning of the assistant's answer.
    pub fn chat(messages: &'a [ChatMessage]) -> Self {
        static NO_OPTIONS: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        Self {
            messages: Messages::Chat(messages),
            add_generation_prompt: true,
            tools: &Value::Null,
            options: &NO_OPTIONS,
        }
    }
}

/// A chat, as it is at hand.
#[derive(Clone, Copy)]
pub enum Messages<'a> {
    /// As steering knows it.
    Chat(&'a [ChatMessage]),
    /// As a client wrote it.
    Json(&'a [Value]),
}
