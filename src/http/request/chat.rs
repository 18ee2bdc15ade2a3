use serde_json::{Map, Value};

use super::RequestError;
use super::options::{MOST_LISTED, read, unknown};
use super::read::{flag, limit, whole};
use super::structure::StructureFields;
use super::template::TemplateFields;
use super::tools::{Choice, check_calls, choice, tools};
use crate::context::{Chat, PublicPrompt};
use crate::http::ApiError;
use crate::service::{Options, PublicRequest};
use crate::structure::{ForcedCall, Structure};
use crate::vocabulary::{ChatMessage, Role, TOOL_CALLS};

/// Reads the body of `POST /v1/chat/completions`, which has lost its private parts.
///
/// # Errors
/// [`RequestError`] naming the first field that is wrong or cannot be steered.
pub fn chat_request(body: &Map<String, Value>) -> Result<PublicRequest, RequestError> {
    let (mut chat, mut options) = (Vec::new(), Options::default());
    let (mut wants_logprobs, mut listed) = (false, None);
    let mut template = TemplateFields::default();
    let mut structure = StructureFields::default();
    let (mut functions, mut chosen) = (Vec::new(), Choice::Auto);
    for (field, value) in body.iter().filter(|(_, value)| !value.is_null()) {
        match field.as_str() {
            "messages" => chat = messages(value)?,
            "tools" => functions = tools(value)?,
            "tool_choice" => chosen = choice(value)?,
            "max_completion_tokens" => options.max_tokens = limit(field, value)?.or(options.max_tokens),
            "logprobs" => wants_logprobs = flag(field, value)?,
            "top_logprobs" => listed = Some(whole(field, value, 0, MOST_LISTED)?),
            _ if read(&mut options, field, value)?
                || template.read(field, value)?
                || structure.read(field, value)?
                || is_neutral(field, value) => {}
            _ => return Err(unknown(field)),
        }
    }
    if chat.is_empty() {
        return Err(ApiError::invalid("messages", "it must be a list with at least one message").into());
    }
    if listed.is_some_and(|listed| listed > 0) && !wants_logprobs {
        return Err(ApiError::invalid("top_logprobs", "it needs logprobs to be true").into());
    }
    options.structure = structure.structure();
    options.logprobs = wants_logprobs.then(|| listed.unwrap_or(0));
    // A model that may call none is told of none.
    functions.retain(|_| chosen != Choice::None);
    if options.structure.is_some() && !functions.is_empty() {
        return Err(RequestError::Unsteerable {
            field: "tools".to_owned(),
            reason: "an answer that must have a format cannot call tools",
        });
    }
    if let Choice::Forced(call) = chosen {
        options.structure = Some(forced(call, &functions, options.parallel_calls)?);
    }
    Ok(PublicRequest {
        prompts: vec![PublicPrompt::Chat(Chat {
            messages: chat.into(),
            options: template.options(),
            tools: functions.into(),
            ..Chat::default()
        })],
        options,
    })
}

/// What an answer looks like that has to call something.
fn forced(call: ForcedCall, tools: &[Value], parallel: bool) -> Result<Structure, ApiError> {
    let shape = call.shape(tools, parallel);
    let shape = shape.map_err(|error| ApiError::invalid("tool_choice", error.to_string()))?;
    Ok(Structure {
        call: Some(call),
        ..Structure::new("tools", shape)
    })
}

/// Values that ask for what happens anyway.
fn is_neutral(field: &str, value: &Value) -> bool {
    match field {
        "functions" => value.as_array().is_some_and(Vec::is_empty),
        "function_call" => matches!(value.as_str(), Some("none" | "auto")),
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
        Some("tool" | "function") => Role::Tool,
        _ => {
            let known = "it must be one of system, developer, user, assistant, tool";
            return Err(ApiError::invalid(at("role"), known).into());
        }
    };
    let further = message.as_object().into_iter().flatten().filter(|(field, value)| {
        let is_empty = value.is_null() || value.as_bool() == Some(false) || value.as_array().is_some_and(Vec::is_empty);
        !is_empty && !["role", "content"].contains(&field.as_str())
    });
    let mut fields = Map::new();
    for (field, value) in further {
        if field == TOOL_CALLS {
            if role != Role::Assistant {
                return Err(ApiError::invalid(at(field), "only messages of the assistant have calls").into());
            }
            check_calls(&at(field), value)?;
        }
        if NOT_TEXT.contains(&field.as_str()) {
            return Err(RequestError::Unsteerable {
                field: at(field),
                reason: "only the text of a message is supported",
            });
        }
        fields.insert(field.clone(), value.clone());
    }
    let content = match message.get("content") {
        Some(Value::String(content)) => content.clone(),
        Some(Value::Array(parts)) => joined(&at("content"), parts)?,
        // Clients echo an answer without text so.
        None | Some(Value::Null) if matches!(role, Role::Assistant | Role::Tool) => String::new(),
        _ => return Err(ApiError::invalid(at("content"), "it must be a string or a list of text parts").into()),
    };
    Ok(ChatMessage { role, content, fields })
}

/// What a message may have beside its text, and steering cannot read.
const NOT_TEXT: [&str; 10] = [
    "tool_responses",
    "tools",
    "function_call",
    "audio",
    "image",
    "images",
    "videos",
    "files",
    // What some hosts go on from, instead of answering.
    "prefix",
    "partial",
];

fn joined(field: &str, parts: &[Value]) -> Result<String, RequestError> {
    let mut content = String::new();
    for (index, part) in parts.iter().enumerate() {
        let at = format!("{field}[{index}]");
        match (part.get("type").and_then(Value::as_str), part.get("text")) {
            (Some("text" | "input_text" | "output_text"), Some(Value::String(text))) => content.push_str(text),
            // Clients echo an answer so.
            (Some("refusal"), _) => content.push_str(part.get("refusal").and_then(Value::as_str).unwrap_or_default()),
            (Some("text" | "input_text" | "output_text"), _) => {
                return Err(ApiError::invalid(format!("{at}.text"), "it must be a string").into());
            }
            (None, _) => {
                let wanted = "each part must be like {\"type\": \"text\", \"text\": \"...\"}";
                return Err(ApiError::invalid(at, wanted).into());
            }
            (Some(_), _) => {
                return Err(RequestError::Unsteerable {
                    field: at,
                    reason: "only text parts are supported",
                });
            }
        }
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(body: Value) -> Result<PublicRequest, String> {
        chat_request(body.as_object().unwrap()).map_err(|error| match error {
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
            ("n", json!(2)),
            ("stop", json!(["x"])),
            ("logit_bias", json!({"5": -100})),
            ("min_p", json!(0.1)),
            ("top_k", json!(-1)),
            ("tools", json!([])),
            ("stop", json!(null)),
            ("frequency_penalty", json!(0)),
            ("response_format", json!({"type": "text"})),
            ("logprobs", json!(false)),
            ("max_tokens", json!(24.0)),
            ("max_tokens", json!(-1)),
            ("n", json!(1.0)),
            ("seed", json!(-1)),
            ("seed", json!(7.0)),
            ("top_k", json!(40.0)),
            ("top_p", json!(0)),
        ] {
            assert!(parse(with(field, value)).is_ok(), "{field}");
        }
    }

    #[test]
    fn what_cannot_be_steered_is_named() {
        for (field, value) in [
            ("response_format", json!({"type": "structural_tag"})),
            ("invented_by_a_vendor", json!(1)),
        ] {
            let error = parse(with(field, value)).err().unwrap();
            assert!(error.starts_with(&format!("unsteerable {field}")), "{error}");
        }
        let custom = with("tools", json!([{"type": "custom", "custom": {"name": "x"}}]));
        assert_eq!(parse(custom).err().unwrap(), "unsteerable tools[0].type");
        let image = json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]});
        assert_eq!(parse(image).err().unwrap(), "unsteerable messages[0].content[0]");
    }

    /// What the first message says beside its role and text.
    fn fields(body: Value) -> Value {
        let request = parse(body).unwrap();
        let [PublicPrompt::Chat(chat)] = request.prompts.as_slice() else {
            unreachable!();
        };
        Value::Object(chat.messages[0].fields.clone())
    }

    #[test]
    fn what_else_a_message_says_is_kept_for_templates() {
        let named =
            json!({"messages": [{"role": "user", "content": "Hi", "name": "Ada", "refusal": null, "annotations": []}]});
        assert_eq!(fields(named), json!({"name": "Ada"}));
        let thought = json!({"messages": [{"role": "assistant", "content": "Hi", "reasoning": "Well", "reasoning_content": "Well"}]});
        assert_eq!(
            fields(thought),
            json!({"reasoning": "Well", "reasoning_content": "Well"})
        );
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
            (
                json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text"}]}]}),
                "messages[0].content[1].text",
            ),
            (with("temperature", json!(3)), "temperature"),
            (with("max_tokens", json!(0)), "max_tokens"),
            (with("max_tokens", json!(-2)), "max_tokens"),
            (with("max_tokens", json!(24.5)), "max_tokens"),
            (with("seed", json!(1e19)), "seed"),
            (with("stream", json!("yes")), "stream"),
            (with("n", json!(0)), "n"),
            (with("n", json!(100)), "n"),
            (with("stop", json!([""])), "stop"),
            (with("stop", json!(7)), "stop"),
            (with("logit_bias", json!({"x": 1})), "logit_bias"),
            (with("logit_bias", json!({"+5": 1})), "logit_bias"),
            (with("logit_bias", json!({"1": 101})), "logit_bias"),
            (with("top_logprobs", json!(5)), "top_logprobs"),
            (with("repetition_penalty", json!(0)), "repetition_penalty"),
            (with("top_k", json!(-2)), "top_k"),
            (with("tools", json!({})), "tools"),
            (with("tools", json!([{"type": "function"}])), "tools[0].function.name"),
            (with("tool_choice", json!("perhaps")), "tool_choice"),
            (with("tool_choice", json!("required")), "tool_choice"),
            (
                with(
                    "tool_choice",
                    json!({"type": "function", "function": {"name": "weather"}}),
                ),
                "tool_choice",
            ),
            (with("parallel_tool_calls", json!("no")), "parallel_tool_calls"),
            (
                json!({"messages": [{"role": "assistant", "tool_calls": [{"id": "x"}]}]}),
                "messages[0].tool_calls[0].function.name",
            ),
            (
                json!({"messages": [{"role": "user", "content": "Hi", "tool_calls": [{"id": "x"}]}]}),
                "messages[0].tool_calls",
            ),
        ] {
            let error = parse(body).err().unwrap();
            assert!(
                error.starts_with("invalid") && error.contains(&format!("\"{wanted}\"")),
                "{error}"
            );
        }
    }

    #[test]
    fn an_answer_without_text_may_be_echoed() {
        for message in [
            json!({"role": "assistant"}),
            json!({"role": "assistant", "content": null}),
        ] {
            assert!(parse(json!({"messages": [message]})).is_ok());
        }
    }

    #[test]
    fn tools_and_calls_are_kept_as_they_are() {
        let tool = json!({"type": "function", "function": {"name": "weather", "parameters": {}}});
        let call = json!([{"id": "x", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]);
        let messages = json!([
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": null, "tool_calls": call},
            {"role": "tool", "tool_call_id": "x", "content": [{"type": "text", "text": "Rain."}]},
        ]);
        for (choice, count) in [("auto", 1), ("none", 0)] {
            let body =
                json!({"messages": messages, "tools": [tool], "tool_choice": choice, "parallel_tool_calls": false});
            let request = parse(body).unwrap();
            assert!(!request.options.parallel_calls);
            let [PublicPrompt::Chat(chat)] = request.prompts.as_slice() else {
                unreachable!();
            };
            assert_eq!(chat.tools.len(), count);
            assert_eq!(chat.messages[1].fields["tool_calls"], call);
            assert_eq!(
                (chat.messages[2].role, chat.messages[2].content.as_str()),
                (Role::Tool, "Rain.")
            );
        }
    }

    #[test]
    fn an_answer_has_a_format_or_tools() {
        let mut both = with("tools", json!([{"type": "function", "function": {"name": "weather"}}]));
        both["response_format"] = json!({"type": "json_object"});
        assert_eq!(parse(both.clone()).err().unwrap(), "unsteerable tools");
        both["tool_choice"] = json!("none");
        assert!(parse(both).is_ok());
    }

    #[test]
    fn a_seed_of_minus_one_is_another_each_time() {
        let seed = || parse(with("seed", json!(-1))).unwrap().options.sampling.seed;
        assert_ne!(seed(), seed());
    }

    #[test]
    fn the_newer_token_limit_wins_in_any_order() {
        let body =
            json!({"messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 5, "max_tokens": 9});
        assert_eq!(parse(body).unwrap().options.max_tokens, Some(5));
        let body =
            json!({"max_tokens": 9, "max_completion_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]});
        assert_eq!(parse(body).unwrap().options.max_tokens, Some(5));
    }
}
