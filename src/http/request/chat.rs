use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::RequestError;
use super::conversation::{Conversation, role};
use super::options::{MOST_LISTED, unknown};
use super::read::{Limit, Whole};
use super::tools::{check_calls, check_tools, choice};
use super::typed::{Content, Part, typed};
use crate::http::ApiError;
use crate::service::PublicRequest;
use crate::vocabulary::{ChatMessage, Role, TOOL_CALLS};

/// What a chat has of its own.
#[derive(Deserialize)]
struct Body {
    messages: Option<Vec<Message>>,
    tools: Option<Vec<Value>>,
    tool_choice: Option<Value>,
    /// What tools and the choice of them were called before. Nothing else is like them.
    functions: Option<Vec<IgnoredAny>>,
    function_call: Option<Value>,
    max_completion_tokens: Option<Limit<1>>,
    logprobs: Option<bool>,
    top_logprobs: Option<Whole<0, MOST_LISTED>>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: Option<Content<Part>>,
    #[serde(flatten)]
    further: Map<String, Value>,
}

/// Reads the body of `POST /v1/chat/completions`, which has lost its private parts.
///
/// # Errors
/// [`RequestError`] naming the first field that is wrong or cannot be steered.
pub fn chat_request(body: &Map<String, Value>) -> Result<PublicRequest, RequestError> {
    let body: Body = typed("", body)?;
    let mut chat = Conversation::default();
    let messages = body.messages.unwrap_or_default();
    let count = messages.len();
    for (index, message) in messages.into_iter().enumerate() {
        let (message, is_begun) = message.read(&format!("messages[{index}]"), index + 1 == count)?;
        chat.messages.push(message);
        chat.continued |= is_begun;
    }
    chat.tools = body.tools.unwrap_or_default();
    check_tools(&chat.tools)?;
    if let Some(chosen) = body.tool_choice {
        chat.choice = choice(&chosen, chosen["function"]["name"].as_str())?;
    }
    if body.functions.is_some_and(|functions| !functions.is_empty()) {
        return Err(unknown("functions"));
    }
    if body.function_call.is_some_and(|call| call != "none" && call != "auto") {
        return Err(unknown("function_call"));
    }
    chat.options.max_tokens = body.max_completion_tokens.and_then(|limit| limit.0);
    let listed = body.top_logprobs.map_or(0, |listed| listed.0);
    let wants_logprobs = body.logprobs.unwrap_or_default();
    if listed > 0 && !wants_logprobs {
        return Err(ApiError::invalid("top_logprobs", "it needs logprobs to be true").into());
    }
    chat.options.logprobs = wants_logprobs.then_some(listed);
    chat.request("messages", body.rest)
}

/// What a message may have beside its text, and steering cannot read.
const NOT_TEXT: [&str; 8] = [
    "tool_responses",
    "tools",
    "function_call",
    "audio",
    "image",
    "images",
    "videos",
    "files",
];
/// How some hosts are told, on the chat's last message, that the answer goes on with it.
const BEGUN: [&str; 2] = ["prefix", "partial"];

impl Message {
    /// The message at `at`, and whether a mark on it says that the answer goes on with it, which only the last one may.
    fn read(self, at: &str, is_last: bool) -> Result<(ChatMessage, bool), RequestError> {
        let beside = |field: &str| format!("{at}.{field}");
        let role = role(at, &self.role)?;
        let content = match self.content {
            Some(content) => content.text(&beside("content"))?,
            // Clients echo an answer without text so.
            None if matches!(role, Role::Assistant | Role::Tool) => String::new(),
            None => return Err(ApiError::invalid(beside("content"), "it is missing").into()),
        };
        let mut message = ChatMessage::new(role, content);
        let mut is_begun = false;
        for (field, value) in self.further.into_iter().filter(|(_, value)| !is_empty(value)) {
            if BEGUN.contains(&field.as_str()) && value == true && is_last && role == Role::Assistant {
                is_begun = true;
                continue;
            }
            if field == TOOL_CALLS {
                if role != Role::Assistant {
                    return Err(ApiError::invalid(beside(&field), "only messages of the assistant have calls").into());
                }
                check_calls(&beside(&field), &value)?;
            }
            if NOT_TEXT.contains(&field.as_str()) || BEGUN.contains(&field.as_str()) {
                return Err(RequestError::Unsteerable {
                    field: beside(&field),
                    reason: "only the text of a message is supported",
                });
            }
            message.fields.insert(field, value);
        }
        Ok((message, is_begun))
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_bool() == Some(false) || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::context::PublicPrompt;

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
            (with("stop", json!(["x", 7])), "stop[1]"),
            (with("stop", json!(7)), "stop"),
            (with("logit_bias", json!({"x": 1})), "logit_bias"),
            (with("logit_bias", json!({"+5": 1})), "logit_bias"),
            (with("logit_bias", json!({"1": 101})), "logit_bias"),
            (with("top_logprobs", json!(5)), "top_logprobs"),
            (with("repetition_penalty", json!(0)), "repetition_penalty"),
            (with("top_k", json!(-2)), "top_k"),
            (with("tools", json!({})), "tools"),
            (with("tools", json!([{"type": "function"}])), "tools[0].function"),
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
                "messages[0].tool_calls[0].function",
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
