//! What the output of a response consists of.

use serde_json::{Value, json};

use crate::http::answer::call::AnswerCall;

/// A call of a tool, with these arguments of it so far.
pub fn call(id: &str, call: &AnswerCall, arguments: &str, status: &str) -> Value {
    json!({
        "id": id, "type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments, "status": status,
    })
}

/// The kinds of items that hold text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What the model has thought.
    Reasoning,
    /// What it says.
    Message,
}

impl Kind {
    /// What ids begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Reasoning => "rs",
            Self::Message => "msg",
        }
    }

    /// What the events of its text are called.
    pub fn text(self) -> &'static str {
        match self {
            Self::Reasoning => "reasoning_text",
            Self::Message => "output_text",
        }
    }

    /// The part that holds the text.
    pub fn part(self, text: &str, logprobs: &[Value]) -> Value {
        match self {
            Self::Reasoning => json!({"type": self.text(), "text": text}),
            Self::Message => json!({"type": self.text(), "text": text, "annotations": [], "logprobs": logprobs}),
        }
    }

    /// The whole item.
    pub fn item(self, id: &str, status: &str, parts: Vec<Value>) -> Value {
        match self {
            Self::Reasoning => {
                json!({"id": id, "type": "reasoning", "summary": [], "content": parts, "status": status})
            }
            Self::Message => {
                json!({"id": id, "type": "message", "role": "assistant", "status": status, "content": parts})
            }
        }
    }
}
