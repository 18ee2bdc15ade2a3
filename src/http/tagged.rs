//! What a client has marked as private inside a request's own texts.

use serde_json::{Map, Value};

use super::ApiError;
use crate::context::{PrivateContext, is_tagged, part};

/// Takes what is between `<private>` and `</private>` out of the texts that a steered request consists of: a chat's messages,
/// the assistant's excepted, or a completion's prompt.
///
/// # Errors
/// 400 naming the field when tags do not pair.
pub fn take(body: &mut Map<String, Value>) -> Result<Vec<PrivateContext>, ApiError> {
    let mut taken = Vec::new();
    if let Some(prompt) = body.get_mut("prompt") {
        take_all(prompt, "prompt", &mut taken)?;
    }
    let messages = body.get_mut("messages").and_then(Value::as_array_mut);
    for (index, message) in messages.into_iter().flatten().enumerate() {
        // What the assistant said came out of picked tokens.
        if message.get("role").and_then(Value::as_str) != Some("assistant") {
            take_all(message, &format!("messages[{index}]"), &mut taken)?;
        }
    }
    Ok(taken)
}

/// Takes marked text out of every text in `value`, which `field` names to the client.
///
/// # Errors
/// 400 naming the field when tags do not pair.
pub fn take_all(value: &mut Value, field: &str, taken: &mut Vec<PrivateContext>) -> Result<(), ApiError> {
    match value {
        Value::String(text) if is_tagged(text) => {
            let parted = part(text).map_err(|error| ApiError::invalid(field, error.to_string()))?;
            zeroize::Zeroize::zeroize(text);
            *text = parted.public;
            taken.extend(parted.private);
            Ok(())
        }
        Value::Array(values) => values.iter_mut().try_for_each(|value| take_all(value, field, taken)),
        Value::Object(fields) => fields.values_mut().try_for_each(|value| take_all(value, field, taken)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn marked_text_is_taken_from_all_but_the_assistant() {
        let mut body = json!({
            "messages": [
                {"role": "system", "content": "<private>a</private>Be kind."},
                {"role": "user", "content": [{"type": "text", "text": "One <private>b</private>"}, {"type": "text", "text": "two"}]},
                {"role": "assistant", "content": "<private>said</private>"},
                {"role": "user", "content": "three"},
            ],
            "model": "<private>x",
        });
        let taken = take(body.as_object_mut().unwrap()).unwrap();
        assert_eq!(
            taken.iter().map(PrivateContext::preview).collect::<Vec<_>>(),
            ["a", "b"]
        );
        assert_eq!(body["messages"][0]["content"], "Be kind.");
        assert_eq!(body["messages"][1]["content"][0]["text"], "One ");
        assert_eq!(body["messages"][2]["content"], "<private>said</private>");
        let mut prompts = json!({"prompt": ["a<private>b</private>", "<private>c</private>"]});
        assert_eq!(take(prompts.as_object_mut().unwrap()).unwrap().len(), 2);
        assert_eq!(prompts["prompt"], json!(["a", ""]));
        let mut open = json!({"messages": [{"role": "user", "content": "<private>a secret"}]});
        let error = take(open.as_object_mut().unwrap()).err().unwrap().body().to_string();
        assert!(error.contains("messages[0]") && !error.contains("secret"), "{error}");
    }
}
