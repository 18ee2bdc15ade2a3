//! Whether the last message of a chat is one of the assistant's that the answer goes on with.

use serde_json::{Map, Value};

use super::RequestError;
use super::read::flag;
use crate::http::ApiError;

/// How vLLM and SGLang are told.
const CONTINUE: &str = "continue_final_message";
const GENERATE: &str = "add_generation_prompt";
/// How some hosts are told, on the message itself.
const ON_MESSAGE: [&str; 2] = ["prefix", "partial"];

/// Takes out what says so. Where nothing does, a closing message of the assistant's is answered with another one.
///
/// # Errors
/// 400 naming the field, where it contradicts another or the chat.
pub fn take(body: &mut Map<String, Value>) -> Result<bool, RequestError> {
    let mut said = |field: &str| {
        let value = body.remove(field).filter(|value| !value.is_null());
        value.map(|value| flag(field, &value)).transpose()
    };
    let (goes_on, generates) = (said(CONTINUE)?, said(GENERATE)?);
    if goes_on == Some(true) && generates == Some(true) {
        return Err(ApiError::invalid(GENERATE, format!("it cannot be true where {CONTINUE} is")).into());
    }
    if goes_on == Some(false) && generates == Some(false) {
        let message = format!("an answer has to begin somewhere: leave it out, or set {CONTINUE} as well");
        return Err(ApiError::invalid(GENERATE, message).into());
    }
    let messages = body.get_mut("messages").and_then(Value::as_array_mut);
    let last = messages.and_then(|messages| messages.last_mut()?.as_object_mut());
    let is_answer = last.as_ref().and_then(|last| last.get("role")?.as_str()) == Some("assistant");
    let on_message = last.filter(|_| is_answer).is_some_and(|last| {
        let marks = ON_MESSAGE.map(|mark| last.get(mark) == Some(&Value::Bool(true)));
        last.retain(|field, value| !(ON_MESSAGE.contains(&field.as_str()) && *value == Value::Bool(true)));
        marks.contains(&true)
    });
    let field = if goes_on == Some(true) { CONTINUE } else { GENERATE };
    let continued = goes_on == Some(true) || generates == Some(false);
    if continued && !is_answer {
        let message = "it goes on with the last message, which must be the assistant's";
        return Err(ApiError::invalid(field, message).into());
    }
    Ok(continued || on_message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(fields: Value, role: &str, mark: &str) -> Result<bool, String> {
        let mut body =
            json!({"messages": [{"role": "user", "content": "Hi"}, {"role": role, "content": "Ho", mark: true}]});
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let body = body.as_object_mut().unwrap();
        let read = take(body).map_err(|error| match error {
            RequestError::Invalid(error) => error.body()["error"]["param"].as_str().unwrap_or_default().to_owned(),
            RequestError::Unsteerable { field, .. } => field,
        })?;
        assert_eq!(body.keys().collect::<Vec<_>>(), ["messages"]);
        Ok(read)
    }

    #[test]
    fn three_ways_of_saying_so() {
        for fields in [
            json!({"continue_final_message": true}),
            json!({"add_generation_prompt": false}),
            json!({"continue_final_message": true, "add_generation_prompt": false}),
        ] {
            assert_eq!(read(fields, "assistant", "x"), Ok(true));
        }
        assert_eq!(read(json!({}), "assistant", "prefix"), Ok(true));
        assert_eq!(read(json!({}), "assistant", "partial"), Ok(true));
        for fields in [
            json!({}),
            json!({"add_generation_prompt": true, "continue_final_message": null}),
        ] {
            assert_eq!(read(fields, "assistant", "x"), Ok(false));
        }
    }

    #[test]
    fn contradictions_are_named() {
        for (fields, role, named) in [
            (json!({"continue_final_message": true}), "user", CONTINUE),
            (json!({"add_generation_prompt": false}), "user", GENERATE),
            (
                json!({"continue_final_message": true, "add_generation_prompt": true}),
                "assistant",
                GENERATE,
            ),
            (
                json!({"continue_final_message": false, "add_generation_prompt": false}),
                "assistant",
                GENERATE,
            ),
            (json!({"continue_final_message": "yes"}), "assistant", CONTINUE),
        ] {
            assert_eq!(read(fields, role, "x"), Err(named.to_owned()));
        }
    }
}
