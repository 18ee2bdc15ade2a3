//! Private settings that a program has packed into a text as JSON. Nobody could take them from there, so they are refused.

use zeroize::Zeroizing;

use super::json::{Json, object};
use super::marks::{is_dialogue, is_text_of_prompts, shown};
use super::names::check_keys;
use crate::context::{FIELD, folded, letters};
use crate::http::ApiError;

/// Refuses texts that are JSON themselves and have a field of ours, wherever a program may have written one: not in what people say.
///
/// # Errors
/// 400 naming the field.
pub fn check(fields: &[(String, Json)]) -> Result<(), ApiError> {
    let spoken = |key: &str| is_dialogue(key) || is_text_of_prompts(key);
    let packed = |(key, value): &&(String, Json)| !spoken(key) && is_packed(value);
    match fields.iter().find(packed) {
        None => Ok(()),
        Some((key, _)) => Err(ApiError::invalid(
            shown(key),
            format!(
                "it holds JSON as text with a field that is almost {FIELD}; nothing was sent on. Private settings stand at the top of the body"
            ),
        )),
    }
}

fn is_packed(value: &Json) -> bool {
    match value {
        Json::Text(text) => is_packed_text(text),
        Json::List(values) => values.iter().any(is_packed),
        Json::Object(fields) => fields.iter().any(|(_, value)| is_packed(value)),
        _ => false,
    }
}

/// Whether a text is JSON with a key that is almost ours, or begins like JSON, is none, and has our letters.
pub fn is_packed_text(text: &str) -> bool {
    let text = text.trim_start().trim_start_matches('\u{feff}');
    if !text.starts_with(['{', '[', '"']) {
        return false;
    }
    let wrapped = Zeroizing::new(format!("{{\"inner\":{text}}}"));
    match object(wrapped.as_bytes()) {
        Ok(fields) => check_keys(&fields, false).is_err() || fields.iter().any(|(_, inner)| is_packed(inner)),
        Err(_) => letters(&folded(text)).contains(FIELD),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::json::fields_of as fields;
    use super::*;

    #[test]
    fn packed_fields_are_seen_where_programs_write_them() {
        for (body, fine) in [
            (json!({"metadata": {"x": "{\"costeer\": {\"context\": \"a\"}}"}}), false),
            (json!({"extra": " [{\"CoSteer\": 1}]"}), false),
            (json!({"extra": "{\"costeer\": broken"}), false),
            (json!({"extra": json!("{\"costeer\":1}").to_string()}), false),
            (json!({"extra": "{\"cost\": 1}"}), true),
            (
                json!({"messages": [{"role": "user", "content": "{\"costeer\": 1} does not work, why?"}]}),
                true,
            ),
            (json!({"note": "costeer is a proxy"}), true),
        ] {
            assert_eq!(check(&fields(&body)).is_ok(), fine, "{body}");
        }
    }
}
