use serde::Deserialize;
use serde_json::{Map, Value};

use crate::testkit::error::Refusal;
use crate::testkit::server::DemoServer;
use crate::vocabulary::{ChatMessage, Role, TemplateOptions, TokenId};

/// One message of a chat.
#[derive(Deserialize)]
pub struct Message {
    role: String,
    content: Value,
}

/// The ids of a text. Special tokens are not added: the shipped models expect none.
pub fn text_ids(text: &str, server: &DemoServer) -> Result<Vec<TokenId>, Refusal> {
    let ids = server.tokenizer.encode(text);
    ids.map_err(|error| Refusal::bad("prompt", error.to_string()))
}

/// The ids of a chat, rendered with these options.
pub fn chat_ids(
    messages: &[Message],
    options: Option<&Map<String, Value>>,
    server: &DemoServer,
) -> Result<Vec<TokenId>, Refusal> {
    let messages = messages.iter().map(chat_message).collect::<Result<Vec<_>, _>>()?;
    let options = TemplateOptions(options.cloned().unwrap_or_default());
    let ids = server.tokenizer.chat_prompt_with(&messages, &[], &options);
    ids.map_err(|error| Refusal::bad("messages", error.to_string()))
}

fn chat_message(message: &Message) -> Result<ChatMessage, Refusal> {
    let role = match message.role.as_str() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        other => {
            return Err(Refusal::bad("messages", format!("Unexpected message role: {other}")));
        }
    };
    let text = match &message.content {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => parts
            .iter()
            .map(|part| part.get("text").and_then(Value::as_str))
            .collect::<Option<String>>(),
        _ => None,
    };
    text.map(|text| ChatMessage::new(role, text))
        .ok_or_else(|| Refusal::bad("messages", "Only text messages are supported."))
}
