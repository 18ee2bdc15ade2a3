//! Fields that hold others: what is in them comes to the top.

use serde_json::{Map, Value};

/// Ollama's `options`, OpenRouter's `reasoning`, and its `usage`, which is always counted here.
pub fn unfold(body: &mut Map<String, Value>) {
    if let Some(Value::Object(_)) = body.get("options")
        && let Some(Value::Object(options)) = body.remove("options")
    {
        for (name, value) in options {
            add(body, &name, value);
        }
    }
    if let Some(Value::Object(reasoning)) = body.get("reasoning")
        && reasoning
            .keys()
            .all(|name| ["effort", "enabled", "summary"].contains(&name.as_str()))
        && let Some(Value::Object(mut reasoning)) = body.remove("reasoning")
    {
        let mut take = |name| reasoning.remove(name).filter(|value| !value.is_null());
        if let Some(effort) = take("effort") {
            add(body, "reasoning_effort", effort);
        }
        if let Some(enabled) = take("enabled") {
            add(body, "enable_thinking", enabled);
        }
    }
    if body.get("usage").is_some_and(Value::is_object) {
        body.remove("usage");
    }
    // Ollama's, which is a switch or a degree.
    if let Some(think) = body.remove("think").filter(|value| !value.is_null()) {
        let name = if think.is_string() {
            "reasoning_effort"
        } else {
            "enable_thinking"
        };
        add(body, name, think);
    }
}

/// What stands at the top already counts.
fn add(body: &mut Map<String, Value>, name: &str, value: Value) {
    if body.get(name).is_none_or(Value::is_null) {
        body.insert(name.to_owned(), value);
    }
}
