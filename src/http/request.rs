use serde_json::{Map, Value};

use super::ApiError;
use crate::vocabulary::{ChatMessage, Role};

/// A chat request, as far as steering understands it.
pub struct ChatRequest {
    /// As the client named it.
    pub model: Option<String>,
    /// Text messages only.
    pub messages: Vec<ChatMessage>,
    /// Server-sent events or one body.
    pub stream: bool,
    /// A last chunk with usage.
    pub include_usage: bool,
    /// 0 to 2; 1 where the request does not say, as OpenAI has it.
    pub temperature: f64,
    /// Above 0, at most 1.
    pub top_p: f64,
    /// Drawn where the request does not say.
    pub seed: u64,
    /// `max_completion_tokens`, or the older `max_tokens`.
    pub max_tokens: Option<usize>,
}

/// Why a request gives no [`ChatRequest`].
pub enum RequestError {
    /// It is wrong for anybody.
    Invalid(ApiError),
    /// It is fine, but asks for what steering cannot do.
    Unsteerable {
        /// The field that asks for it.
        field: String,
        /// Why it cannot be done.
        reason: &'static str,
    },
}

impl From<ApiError> for RequestError {
    fn from(error: ApiError) -> Self {
        Self::Invalid(error)
    }
}

/// Fields that change nothing about the tokens.
const WITHOUT_EFFECT: [&str; 7] = [
    "user",
    "metadata",
    "store",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "parallel_tool_calls",
];

impl ChatRequest {
    /// Reads a request body; `costeer` must have been taken out of it.
    ///
    /// # Errors
    /// [`RequestError`] naming the first field that is wrong or cannot be steered.
    pub fn parse(body: &Map<String, Value>) -> Result<Self, RequestError> {
        let mut request = Self {
            model: None,
            messages: Vec::new(),
            stream: false,
            include_usage: false,
            temperature: 1.0,
            top_p: 1.0,
            seed: rand::random(),
            max_tokens: None,
        };
        for (field, value) in body.iter().filter(|(_, value)| !value.is_null()) {
            request.read(field, value)?;
        }
        if request.messages.is_empty() {
            return Err(ApiError::invalid("messages", "it must be a list with at least one message").into());
        }
        Ok(request)
    }

    fn read(&mut self, field: &str, value: &Value) -> Result<(), RequestError> {
        match field {
            "model" => self.model = Some(text(field, value)?.to_owned()),
            "messages" => self.messages = messages(value)?,
            "stream" => self.stream = flag(field, value)?,
            "stream_options" => {
                let options = value
                    .as_object()
                    .ok_or_else(|| ApiError::invalid(field, "it must be an object"))?;
                if let Some(include) = options.get("include_usage").filter(|include| !include.is_null()) {
                    self.include_usage = flag("stream_options.include_usage", include)?;
                }
            }
            "temperature" => self.temperature = number(field, value, 0.0, 2.0)?,
            "top_p" => {
                self.top_p = number(field, value, 0.0, 1.0)?;
                if self.top_p == 0.0 {
                    return Err(ApiError::invalid(field, "it must be above 0").into());
                }
            }
            "seed" => {
                let seed = value
                    .as_i64()
                    .ok_or_else(|| ApiError::invalid(field, "it must be an integer"))?;
                self.seed = seed.cast_unsigned();
            }
            "max_completion_tokens" => self.max_tokens = Some(positive(field, value)?),
            // The newer name wins, in whatever order they come.
            "max_tokens" => {
                let tokens = positive(field, value)?;
                self.max_tokens.get_or_insert(tokens);
            }
            _ if WITHOUT_EFFECT.contains(&field) || is_neutral(field, value) => {}
            _ => {
                return Err(RequestError::Unsteerable {
                    field: field.chars().take(60).collect(),
                    reason: "the field asks for something that steered decoding does not do",
                });
            }
        }
        Ok(())
    }
}

/// Values that ask for what happens anyway.
fn is_neutral(field: &str, value: &Value) -> bool {
    let number = value.as_f64();
    match field {
        "n" | "repetition_penalty" => number == Some(1.0),
        "frequency_penalty" | "presence_penalty" | "min_p" => number == Some(0.0),
        "top_k" => number.is_some_and(|k| k <= 0.0),
        "logprobs" => value == &Value::Bool(false),
        "top_logprobs" => number == Some(0.0),
        "tools" | "functions" | "stop" => value.as_array().is_some_and(Vec::is_empty),
        "tool_choice" | "function_call" => matches!(value.as_str(), Some("none" | "auto")),
        "logit_bias" => value.as_object().is_some_and(Map::is_empty),
        "response_format" => value.get("type").and_then(Value::as_str) == Some("text"),
        "modalities" => value.as_array().is_some_and(|all| all.iter().all(|one| one == "text")),
        _ => false,
    }
}

fn messages(value: &Value) -> Result<Vec<ChatMessage>, RequestError> {
    let list = value
        .as_array()
        .ok_or_else(|| ApiError::invalid("messages", "it must be a list"))?;
    let numbered = list.iter().enumerate();
    numbered.map(|(index, message)| one_message(index, message)).collect()
}

fn one_message(index: usize, message: &Value) -> Result<ChatMessage, RequestError> {
    let at = |field: &str| format!("messages[{index}].{field}");
    let role = match message.get("role").and_then(Value::as_str) {
        Some("system" | "developer") => Role::System,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("tool" | "function") => {
            return Err(RequestError::Unsteerable {
                field: at("role"),
                reason: "results of tools are not supported",
            });
        }
        _ => {
            let known = "it must be one of system, developer, user, assistant, tool";
            return Err(ApiError::invalid(at("role"), known).into());
        }
    };
    let extra = message.as_object().into_iter().flatten().find(|(field, value)| {
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        !is_empty && !["role", "content"].contains(&field.as_str())
    });
    if let Some((field, _)) = extra {
        return Err(RequestError::Unsteerable {
            field: at(&field.chars().take(40).collect::<String>()),
            reason: "only role and text of a message are supported",
        });
    }
    match message.get("content") {
        Some(Value::String(content)) => Ok(ChatMessage::new(role, content.clone())),
        Some(Value::Array(parts)) => Ok(ChatMessage::new(role, joined(&at("content"), parts)?)),
        _ => Err(ApiError::invalid(at("content"), "it must be a string or a list of text parts").into()),
    }
}

fn joined(field: &str, parts: &[Value]) -> Result<String, RequestError> {
    let mut content = String::new();
    for part in parts {
        match (part.get("type").and_then(Value::as_str), part.get("text")) {
            (Some("text"), Some(Value::String(text))) => content.push_str(text),
            (Some("text") | None, _) => {
                return Err(
                    ApiError::invalid(field, "each part must be like {\"type\": \"text\", \"text\": \"...\"}").into(),
                );
            }
            (Some(_), _) => {
                return Err(RequestError::Unsteerable {
                    field: field.to_owned(),
                    reason: "only text parts are supported",
                });
            }
        }
    }
    Ok(content)
}

fn text<'a>(field: &str, value: &'a Value) -> Result<&'a str, ApiError> {
    value
        .as_str()
        .ok_or_else(|| ApiError::invalid(field, "it must be a string"))
}

fn flag(field: &str, value: &Value) -> Result<bool, ApiError> {
    value
        .as_bool()
        .ok_or_else(|| ApiError::invalid(field, "it must be true or false"))
}

fn number(field: &str, value: &Value, least: f64, most: f64) -> Result<f64, ApiError> {
    value
        .as_f64()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| ApiError::invalid(field, format!("it must be a number from {least} to {most}")))
}

fn positive(field: &str, value: &Value) -> Result<usize, ApiError> {
    value
        .as_u64()
        .and_then(|number| usize::try_from(number).ok())
        .filter(|number| *number > 0)
        .ok_or_else(|| ApiError::invalid(field, "it must be a whole number above 0"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(body: Value) -> Result<ChatRequest, String> {
        ChatRequest::parse(body.as_object().unwrap()).map_err(|error| match error {
            RequestError::Invalid(error) => format!("invalid {}", error.body()),
            RequestError::Unsteerable { field, .. } => format!("unsteerable {field}"),
        })
    }

    fn with(field: &str, value: Value) -> Value {
        json!({"messages": [{"role": "user", "content": "Hi"}], field: value})
    }

    #[test]
    fn what_asks_for_nothing_special_is_accepted() {
        for (field, value) in [
            ("n", json!(1)),
            ("tools", json!([])),
            ("stop", json!(null)),
            ("user", json!("x")),
            ("frequency_penalty", json!(0)),
            ("response_format", json!({"type": "text"})),
            ("logprobs", json!(false)),
        ] {
            assert!(parse(with(field, value)).is_ok(), "{field}");
        }
    }

    #[test]
    fn what_cannot_be_steered_is_named() {
        for (field, value) in [
            ("n", json!(2)),
            ("tools", json!([{"type": "function"}])),
            ("response_format", json!({"type": "json_object"})),
            ("stop", json!(["x"])),
            ("invented_by_a_vendor", json!(1)),
        ] {
            assert_eq!(parse(with(field, value)).err().unwrap(), format!("unsteerable {field}"));
        }
        let named = json!({"messages": [{"role": "user", "content": "Hi", "name": "Ada", "refusal": null}]});
        assert_eq!(parse(named).err().unwrap(), "unsteerable messages[0].name");
        let image = json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]});
        assert_eq!(parse(image).err().unwrap(), "unsteerable messages[0].content");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, wanted) in [
            (json!({}), "messages"),
            (json!({"messages": []}), "messages"),
            (
                json!({"messages": [{"role": "wizard", "content": "x"}]}),
                "messages[0].role",
            ),
            (json!({"messages": [{"role": "user"}]}), "messages[0].content"),
            (with("temperature", json!(3)), "temperature"),
            (with("max_tokens", json!(0)), "max_tokens"),
            (with("stream", json!("yes")), "stream"),
        ] {
            let error = parse(body).err().unwrap();
            assert!(
                error.starts_with("invalid") && error.contains(&format!("\"{wanted}\"")),
                "{error}"
            );
        }
    }

    #[test]
    fn the_newer_token_limit_wins_in_any_order() {
        let body =
            json!({"messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 5, "max_tokens": 9});
        assert_eq!(parse(body).unwrap().max_tokens, Some(5));
        let body =
            json!({"max_tokens": 9, "max_completion_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]});
        assert_eq!(parse(body).unwrap().max_tokens, Some(5));
    }
}
