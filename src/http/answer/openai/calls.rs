use serde_json::{Value, json};

use crate::http::answer::call::AnswerCall;

/// Adds `calls` to a choice of a whole chat. One that says nothing else has no content.
pub fn add_calls(choice: &mut Value, calls: &[AnswerCall]) {
    if calls.is_empty() {
        return;
    }
    let message = &mut choice["message"];
    if message["content"]
        .as_str()
        .is_some_and(|content| content.trim().is_empty())
    {
        message["content"] = Value::Null;
    }
    let calls = calls.iter().map(
        |call| json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}),
    );
    message["tool_calls"] = calls.collect();
}

/// The deltas that a call comes in: first what it is, then its arguments.
pub fn deltas(call: &AnswerCall) -> [Value; 2] {
    let index = call.index;
    let first = json!({
        "index": index, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""},
    });
    let arguments = json!({"index": index, "function": {"arguments": call.arguments}});
    [first, arguments].map(|call| json!({"tool_calls": [call]}))
}
