//! Fields that are written in another form: what holds others comes to the top, and lists of pairs become objects.

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
    if let Some(biases) = body
        .get("logit_bias")
        .and_then(Value::as_array)
        .and_then(|pairs| as_object(pairs))
    {
        body.insert("logit_bias".to_owned(), biases.into());
    }
    for limit in ["n_predict", "num_predict"] {
        // As much as the window holds, which is all that there can be.
        if body.get(limit).and_then(Value::as_i64) == Some(-2) {
            body.insert(limit.to_owned(), Value::from(-1));
        }
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

/// llama.cpp's biases are pairs of an id and a number, or false for a token that is forbidden.
fn as_object(pairs: &[Value]) -> Option<Map<String, Value>> {
    let pair = |pair: &Value| match pair.as_array()?.as_slice() {
        [id, bias] => {
            let forbidden = bias.as_bool() == Some(false);
            let bias = if forbidden { Value::from(-100) } else { bias.clone() };
            Some((id.as_u64()?.to_string(), bias))
        }
        _ => None,
    };
    pairs.iter().map(pair).collect()
}

/// What stands at the top already counts.
fn add(body: &mut Map<String, Value>, name: &str, value: Value) {
    if body.get(name).is_none_or(Value::is_null) {
        body.insert(name.to_owned(), value);
    }
}
