use serde::Deserialize;
use serde_json::{Map, Value};

use super::RequestError;
use super::options::{self, MOST_LISTED};
use super::others::Others;
use super::read::Whole;
use super::structure::StructureFields;
use super::typed::typed;
use crate::context::PublicPrompt;
use crate::http::ApiError;
use crate::service::{Options, PublicRequest};
use crate::vocabulary::TokenId;

const MOST_PROMPTS: usize = 64;
/// OpenAI's default, for prompts that do not end by themselves.
const DEFAULT_TOKENS: usize = 16;

/// What a text to be continued has of its own.
#[derive(Deserialize)]
struct Body {
    prompt: Option<Value>,
    logprobs: Option<Whole<0, MOST_LISTED>>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Reads the body of `POST /v1/completions`, which has lost its private parts.
///
/// # Errors
/// [`RequestError`] naming the first field that is wrong or cannot be steered.
pub fn completion_request(body: &Map<String, Value>) -> Result<PublicRequest, RequestError> {
    let body: Body = typed("", body)?;
    let prompts = prompts(&body.prompt.unwrap_or_default())?;
    let (mut options, mut structure) = (Options::default(), StructureFields::default());
    let others = Others::read(body.rest, |field, value| {
        Ok(options::read(&mut options, field, value)? || structure.read(field, value)?)
    })?;
    options.logprobs = body.logprobs.map(|listed| listed.0);
    options.structure = structure.structure();
    options.max_tokens.get_or_insert(DEFAULT_TOKENS);
    let request = PublicRequest { prompts, options };
    others.check(&request)?;
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
