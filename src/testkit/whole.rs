use serde_json::Value;

use crate::wire::{Envelope, FINGERPRINT, Usage};

/// A whole answer in one body. vLLM has the fingerprint after the choices.
pub fn whole(envelope: &Envelope, choice: Value, usage: Usage) -> Value {
    let mut body = envelope.whole(vec![choice]);
    body["system_fingerprint"] = FINGERPRINT.into();
    body["usage"] = usage.vllm();
    body
}
