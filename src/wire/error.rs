use serde::Serialize;
use serde_json::{Value, json};

/// The body of a refusal: `{"error": {message, type, param, code}}`. OpenAI's codes are words, vLLM's repeat the status.
pub fn error(message: &str, kind: &str, param: Option<&str>, code: impl Serialize) -> Value {
    json!({
        "error": {
            "message": message,
            "type": kind,
            "param": param,
            "code": code,
        }
    })
}
