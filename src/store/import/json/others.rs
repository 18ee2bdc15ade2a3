//! Conversations with other assistants than ChatGPT: Claude, Gemini, and what programs keep in the form of OpenAI's messages.

use std::path::Path;

use serde_json::Value;
use zeroize::Zeroizing;

use super::conversation::{About, Message, document};
use crate::store::PrivateText;
use crate::store::import::{Entry, Fault, Wanted, place, times};

/// Whether it is such a conversation.
pub fn is(value: &Value) -> bool {
    list(value).is_some() || is_activity(value)
}

/// Where its messages are.
fn list(value: &Value) -> Option<&Vec<Value>> {
    let at = |pointer| value.pointer(pointer).and_then(Value::as_array);
    let messages = at("/chat_messages")
        .or_else(|| at("/chunkedPrompt/chunks"))
        .or_else(|| at("/messages"))
        .or_else(|| at("/chat/messages"))?;
    messages
        .iter()
        .all(|message| sender(message).is_some())
        .then_some(messages)
}

/// An entry of "My Activity" with Gemini, which Google calls what was said to it.
fn is_activity(value: &Value) -> bool {
    let header = value.get("header").and_then(Value::as_str).unwrap_or_default();
    matches!(header, "Gemini Apps" | "Gemini" | "Bard") && value.get("title").is_some_and(Value::is_string)
}

fn sender(message: &Value) -> Option<&str> {
    ["sender", "role", "author", "from"].iter().find_map(|field| {
        let sender = message.get(*field)?;
        sender.as_str().or_else(|| sender.get("role")?.as_str())
    })
}

/// What is wanted of a conversation. `file` is the file's place.
pub fn read(value: &Value, file: &Path, wanted: &Wanted) -> Result<Entry, Fault> {
    let string = |names: &[&str]| names.iter().find_map(|name| value.get(*name).and_then(Value::as_str));
    let time = [
        "created_at",
        "create_time",
        "createTime",
        "created",
        "time",
        "date",
        "timestamp",
    ];
    let id = string(&["uuid", "id", "conversation_id"]);
    let claude = value.get("chat_messages").is_some();
    let messages: Vec<Message> = match list(value) {
        Some(messages) => messages.iter().filter_map(message).collect(),
        None => vec![Message {
            own: true,
            who: "user".to_owned(),
            text: Zeroizing::new(said(string(&["title"]).unwrap_or_default()).to_owned()),
        }],
    };
    let about = About {
        key: match id {
            // What makes such numbers makes each once in the world.
            Some(id) if claude || id.len() >= 32 => place::given(id),
            Some(id) => place::key_of(file, id),
            None => PrivateText::default(),
        },
        title: if is_activity(value) {
            String::new()
        } else {
            string(&["name", "title"]).unwrap_or_default().to_owned()
        },
        time: time.iter().find_map(|field| value.get(*field).and_then(times::value)),
        source: if claude {
            "claude"
        } else if is_activity(value) || value.get("chunkedPrompt").is_some() {
            "gemini"
        } else {
            "chat"
        },
    };
    document(about, &messages, wanted)
}

/// What was asked, without the word that Google puts before it.
fn said(title: &str) -> &str {
    let asked = ["Prompted ", "Asked ", "Said "];
    asked.iter().find_map(|word| title.strip_prefix(word)).unwrap_or(title)
}

fn message(message: &Value) -> Option<Message> {
    let who = sender(message)?;
    let own = matches!(who, "human" | "user" | "Human" | "User");
    let known = own || matches!(who, "assistant" | "model" | "Assistant" | "bot" | "gpt" | "ai");
    // A model's thoughts and what programs have said are nobody's words.
    let thought = message.get("isThought").and_then(Value::as_bool) == Some(true);
    (known && !thought).then(|| Message {
        own,
        who: who.to_owned(),
        text: Zeroizing::new(text(message)),
    })
}

fn text(message: &Value) -> String {
    let parts = message.get("content").and_then(Value::as_array);
    let of_parts = parts.map(|parts| {
        let texts = parts
            .iter()
            .filter_map(|part| part.as_str().or_else(|| part.get("text")?.as_str()));
        texts.collect::<Vec<_>>().join("\n")
    });
    let plain = ["text", "content", "value"]
        .iter()
        .find_map(|field| message.get(*field)?.as_str());
    match plain {
        Some(text) if !text.trim().is_empty() => text.to_owned(),
        _ => of_parts.unwrap_or_default(),
    }
}
