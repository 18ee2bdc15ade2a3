use serde_json::{Map, Value};

use super::RequestError;
use super::options::{MOST_LISTED, read, unknown};
use super::read::whole;
use super::structure::StructureFields;
use crate::context::PublicPrompt;
use crate::http::ApiError;
use crate::service::{Options, PublicRequest};
use crate::vocabulary::TokenId;

const MOST_PROMPTS: usize = 64;
/// OpenAI's default, for prompts that do not end by themselves.
const DEFAULT_TOKENS: usize = 16;

/// Reads the body of `POST /v1/completions`, which has lost its private parts.
///
/// # Errors
/// [`RequestError`] naming the first field that is wrong or cannot be steered.
pub fn completion_request(body: &Map<String, Value>) -> Result<PublicRequest, RequestError> {
    let mut request = PublicRequest {
        prompts: Vec::new(),
        options: Options::default(),
    };
    let mut structure = StructureFields::default();
    for (field, value) in body.iter().filter(|(_, value)| !value.is_null()) {
        match field.as_str() {
            "prompt" => request.prompts = prompts(value)?,
            "logprobs" => request.options.logprobs = Some(whole(field, value, 0, MOST_LISTED)?),
            _ if read(&mut request.options, field, value)? || structure.read(field, value)? => {}
            _ => return Err(unknown(field)),
        }
    }
    if request.prompts.is_empty() {
        return Err(wrong_prompt().into());
    }
    request.options.structure = structure.structure();
    request.options.max_tokens.get_or_insert(DEFAULT_TOKENS);
    Ok(request)
}

fn wrong_prompt() -> ApiError {
    let wanted = format!(
        "it must be a string, a list of token ids, or a list of at most {MOST_PROMPTS} of either, none of them empty"
    );
    ApiError::invalid("prompt", wanted)
}

fn prompts(value: &Value) -> Result<Vec<PublicPrompt>, ApiError> {
    let all = match value {
        Value::Array(list) if list.iter().all(|one| one.is_string() || one.is_array()) => {
            list.iter().map(prompt).collect::<Option<Vec<_>>>()
        }
        one => prompt(one).map(|one| vec![one]),
    };
    all.filter(|all| !all.is_empty() && all.len() <= MOST_PROMPTS)
        .ok_or_else(wrong_prompt)
}

fn prompt(value: &Value) -> Option<PublicPrompt> {
    match value {
        Value::String(text) if !text.is_empty() => Some(PublicPrompt::Text(text.clone())),
        Value::Array(ids) if !ids.is_empty() => {
            let id = |id: &Value| id.as_u64().and_then(|id| u32::try_from(id).ok()).map(TokenId);
            ids.iter().map(id).collect::<Option<_>>().map(PublicPrompt::Ids)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(body: Value) -> Result<PublicRequest, String> {
        completion_request(body.as_object().unwrap()).map_err(|error| match error {
            RequestError::Invalid(error) => format!("invalid {}", error.body()),
            RequestError::Unsteerable { field, .. } => format!("unsteerable {field}"),
        })
    }

    #[test]
    fn prompts_come_in_four_shapes() {
        for (prompt, count) in [
            (json!("Hi"), 1),
            (json!(["Hi", "Ho"]), 2),
            (json!([1, 2, 3]), 1),
            (json!([[1, 2], [3]]), 2),
        ] {
            assert_eq!(parse(json!({"prompt": prompt})).unwrap().prompts.len(), count);
        }
        for prompt in [
            json!(""),
            json!([]),
            json!([[]]),
            json!([1, "a"]),
            json!([-1]),
            json!(5),
            json!(null),
        ] {
            let error = parse(json!({"prompt": prompt})).err().unwrap();
            assert!(
                error.starts_with("invalid") && error.contains("\"prompt\""),
                "{prompt}: {error}"
            );
        }
    }

    #[test]
    fn what_cannot_be_steered_is_named() {
        let error = parse(json!({"prompt": "Hi", "echo": true})).err().unwrap();
        assert_eq!(error, "unsteerable echo");
        assert!(parse(json!({"prompt": "Hi", "logprobs": 3})).is_ok());
    }
}
