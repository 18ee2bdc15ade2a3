use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::conversation::{About, Message, document};
use crate::store::import::{Entry, Fault, Wanted, place, times};

/// Whether it is a conversation of ChatGPT's data export.
pub fn is(value: &Value) -> bool {
    value.get("mapping").is_some_and(Value::is_object)
}

/// What is wanted of a conversation.
pub fn read(value: &Value, wanted: &Wanted) -> Result<Entry, Fault> {
    let string = |field| value.get(field).and_then(Value::as_str);
    let nothing = Map::new();
    let mapping = value.get("mapping").and_then(Value::as_object).unwrap_or(&nothing);
    let messages: Vec<Message> = branch(mapping, string("current_node"))
        .into_iter()
        .filter_map(message)
        .collect();
    let about = About {
        key: place::given(string("id").or(string("conversation_id")).unwrap_or_default()),
        title: string("title").unwrap_or_default().to_owned(),
        time: value.get("create_time").and_then(times::value),
        source: "chatgpt",
    };
    document(about, &messages, wanted)
}

/// The nodes from the first to `last`: those the user sees, for a message that was changed and sent again begins a
/// branch. Without a last node there is nothing to tell branches by, and all count.
fn branch<'v>(mapping: &'v Map<String, Value>, last: Option<&str>) -> Vec<&'v Value> {
    let Some(mut node) = last.and_then(|last| mapping.get(last)) else {
        return mapping.values().collect();
    };
    let mut nodes = vec![node];
    while let Some(parent) = node
        .get("parent")
        .and_then(Value::as_str)
        .and_then(|parent| mapping.get(parent))
    {
        // Parents in a circle would have no end.
        if nodes.len() == mapping.len() {
            break;
        }
        nodes.push(parent);
        node = parent;
    }
    nodes.reverse();
    nodes
}

/// The message of a node, if it is the user's or the model's. What ChatGPT says in the user's name is hidden and left out.
fn message(node: &Value) -> Option<Message> {
    let message = node.get("message")?;
    let hidden = message
        .pointer("/metadata/is_visually_hidden_from_conversation")
        .and_then(Value::as_bool);
    let who = message.pointer("/author/role")?.as_str()?;
    if !matches!(who, "user" | "assistant") || hidden == Some(true) {
        return None;
    }
    let content = message.get("content")?;
    // Among the parts may be images, and what was spoken. Very old exports have one text.
    let texts: Vec<&str> = match content.get("parts").and_then(Value::as_array) {
        Some(parts) => parts
            .iter()
            .filter_map(|part| part.as_str().or_else(|| part.get("text")?.as_str()))
            .collect(),
        None => content
            .get("text")
            .or(Some(content))
            .and_then(Value::as_str)
            .into_iter()
            .collect(),
    };
    Some(Message {
        own: who == "user",
        who: who.to_owned(),
        text: Zeroizing::new(texts.join("\n")),
    })
}
