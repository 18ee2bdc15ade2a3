use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::decode::Finish;
use crate::wire::{Usage, now};

/// What a response says beside its output: who it is, and what was asked for.
pub struct Frame(Value);

/// What is repeated of a request as it was written.
const REPEATED: [&str; 17] = [
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "parallel_tool_calls",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
];

impl Frame {
    /// For an answer to the request with this body.
    pub fn new(body: &Map<String, Value>) -> Self {
        // Nothing is kept, so there is nothing to go on from either.
        let mut frame = json!({
            "id": id("resp"),
            "object": "response",
            "created_at": now(),
            "status": "in_progress",
            "background": false,
            "error": null,
            "incomplete_details": null,
            "instructions": null,
            "max_output_tokens": null,
            "metadata": {},
            "model": "",
            "output": [],
            "parallel_tool_calls": true,
            "previous_response_id": null,
            "reasoning": {"effort": null, "summary": null},
            "store": false,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_logprobs": 0,
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": null,
        });
        for field in REPEATED {
            if let Some(value) = body.get(field).filter(|value| !value.is_null()) {
                frame[field] = value.clone();
            }
        }
        if frame["text"].get("format").is_none_or(Value::is_null) {
            frame["text"]["format"] = json!({"type": "text"});
        }
        Self(frame)
    }

    /// As long as there is no output.
    pub fn begun(&self) -> Value {
        self.0.clone()
    }

    /// With all of its output.
    pub fn ended(&self, output: Vec<Value>, finish: Option<Finish>, usage: Usage) -> Value {
        let mut response = self.0.clone();
        response["status"] = status(finish).into();
        if finish == Some(Finish::Length) {
            response["incomplete_details"] = json!({"reason": "max_output_tokens"});
        }
        response["output"] = output.into();
        response["usage"] = json!({
            "input_tokens": usage.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": usage.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens.unwrap_or(0)},
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        });
        response
    }

    /// With what there is of its output before it broke off.
    pub fn failed(&self, output: Vec<Value>, message: &Value) -> Value {
        let mut response = self.0.clone();
        response["status"] = "failed".into();
        response["error"] = json!({"code": "server_error", "message": message});
        response["output"] = output.into();
        response
    }
}

/// What an answer is when it has ended so.
pub fn status(finish: Option<Finish>) -> &'static str {
    match finish {
        Some(Finish::Length) => "incomplete",
        _ => "completed",
    }
}

/// A fresh id.
pub fn id(prefix: &str) -> String {
    format!("{prefix}_{}", Uuid::new_v4().simple())
}
