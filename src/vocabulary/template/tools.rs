//! What a template does with tools, and the forms that it wants calls in.

use serde_json::{Map, Value, json};

use crate::vocabulary::chat::TOOL_CALLS;
use crate::vocabulary::{ChatMessage, Role};

/// The forms of a call in a chat that a template may want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallForm {
    /// Whether arguments are JSON, and not a text that holds it.
    pub is_json: bool,
    /// Whether a message with calls that says nothing has null for its content, and not an empty text.
    pub is_null: bool,
}

/// As OpenAI's clients write them, but for the arguments, which servers read first.
const USUAL: CallForm = CallForm {
    is_json: true,
    is_null: false,
};

/// Those that are tried, in this order.
pub const FORMS: [CallForm; 4] = [
    USUAL,
    CallForm { is_null: true, ..USUAL },
    CallForm {
        is_json: false,
        ..USUAL
    },
    CallForm {
        is_json: false,
        is_null: true,
    },
];

/// Texts that no template contains.
pub const NAME: &str = "a_tool_to_be_looked_for";
const ARGUMENT: &str = "an_argument_to_be_looked_for";
const VALUE: &str = "A value to be looked for.";
const RESULT: &str = "A result to be looked for.";

/// A tool to be looked for in prompts.
pub fn tool() -> Value {
    json!([{
        "type": "function",
        "function": {
            "name": NAME,
            "description": "It is looked for.",
            "parameters": {"type": "object", "properties": {ARGUMENT: {"type": "string"}}, "required": [ARGUMENT]},
        },
    }])
}

/// A call of it, and what it said.
pub fn exchange() -> [ChatMessage; 2] {
    let arguments = json!({ARGUMENT: VALUE}).to_string();
    // Some templates want ids of nine letters.
    let id = "abc123xyz";
    let call = json!([{"id": id, "type": "function", "function": {"name": NAME, "arguments": arguments}}]);
    let with = |mut message: ChatMessage, field: &str, value: Value| {
        message.fields.insert(field.to_owned(), value);
        message
    };
    let called = with(ChatMessage::new(Role::Assistant, ""), TOOL_CALLS, call);
    let said = with(ChatMessage::new(Role::Tool, RESULT), "tool_call_id", id.into());
    [called, with(said, "name", NAME.into())]
}

/// Whether the exchange is in a prompt as it should be.
pub fn is_written(prompt: &str) -> bool {
    // Python would write a dictionary so, which models do not.
    let is_python = prompt.contains(&format!("'{ARGUMENT}':"));
    !is_python && [NAME, ARGUMENT, VALUE, RESULT].iter().all(|text| prompt.contains(text))
}

impl CallForm {
    /// What stands for a message that says `content`.
    pub fn content(self, message: &ChatMessage) -> Value {
        if self.is_null && message.content.is_empty() && message.calls().is_some() {
            Value::Null
        } else {
            message.content.as_str().into()
        }
    }

    /// A message's further fields in this form.
    pub fn fields(self, message: &ChatMessage) -> Map<String, Value> {
        let mut fields = message.fields.clone();
        if let Some(Value::Array(calls)) = fields.get_mut(TOOL_CALLS).filter(|_| self.is_json) {
            let arguments = calls
                .iter_mut()
                .filter_map(|call| call.pointer_mut("/function/arguments"));
            for arguments in arguments {
                let parsed = arguments.as_str().map(parsed);
                *arguments = parsed.unwrap_or_else(|| arguments.take());
            }
        }
        fields
    }
}

/// A text's JSON; no arguments are none, and what is no JSON stays a text.
fn parsed(text: &str) -> Value {
    if text.trim().is_empty() {
        return Map::new().into();
    }
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}
