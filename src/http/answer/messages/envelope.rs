use serde_json::{Value, json};
use uuid::Uuid;

use crate::decode::Finish;
use crate::http::answer::call::AnswerCall;
use crate::service::Options;

/// A message of these blocks, before it is known how it ends.
pub fn message(options: &Options, content: Vec<Value>, input_tokens: u64) -> Value {
    json!({
        "id": format!("msg_{}", Uuid::new_v4().simple()),
        "type": "message",
        "role": "assistant",
        "model": options.model.as_deref().unwrap_or_default(),
        "content": content,
        "stop_reason": null,
        "stop_sequence": null,
        "usage": {"input_tokens": input_tokens, "output_tokens": 0},
    })
}

/// Why an answer ended, in Anthropic's words.
pub fn stop_reason(finish: Finish, stop: Option<&String>) -> &'static str {
    match (finish, stop) {
        (Finish::Stop, Some(_)) => "stop_sequence",
        (Finish::Stop, None) => "end_turn",
        (Finish::Calls, _) => "tool_use",
        (Finish::Length, _) => "max_tokens",
    }
}

/// A block of text.
pub fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

/// A block that calls a tool with this input.
pub fn tool_use(call: &AnswerCall, input: &Value) -> Value {
    json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input})
}

/// A block of thoughts. Nobody signs them here.
pub fn thinking(thinking: &str) -> Value {
    json!({"type": "thinking", "thinking": thinking, "signature": ""})
}
