use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::RequestError;
use super::converted::Converted;
use super::options::unknown;
use super::read::{flag, text};
use super::typed::{Content, Part, typed};
use crate::http::ApiError;
use crate::service::PublicRequest;

/// Reads the body of `POST /v1/responses`, which has lost its private parts.
///
/// # Errors
/// [`RequestError`] naming the first field that is wrong or cannot be steered.
pub fn responses_request(body: &Map<String, Value>) -> Result<PublicRequest, RequestError> {
    let mut chat = Converted::default();
    let mut wants_logprobs = false;
    // Instructions come before the input, wherever they are written.
    if let Some(instructions) = body.get("instructions").filter(|value| !value.is_null()) {
        let said = text("instructions", instructions)?;
        chat.message(json!({"role": "system", "content": said}), "instructions".to_owned());
    }
    for (field, value) in body.iter().filter(|(_, value)| !value.is_null()) {
        match field.as_str() {
            "input" => input(&mut chat, value)?,
            "max_output_tokens" => chat.set("max_tokens", value.clone(), field),
            "text" => chat_format(&mut chat, value)?,
            "reasoning" => {
                let Reasoning { effort } = typed(field, value)?;
                if let Some(effort) = effort {
                    chat.set("reasoning_effort", effort.into(), "reasoning.effort");
                }
            }
            "tools" => {
                let tools = typed::<Vec<Tool>>(field, value)?.into_iter().enumerate();
                let tools: Result<Value, _> = tools.map(|(index, tool)| tool.of_chat(index)).collect();
                chat.set("tools", tools?, field);
            }
            "tool_choice" => chat.set("tool_choice", tool_choice(value)?, field),
            "include" => {
                let wanted: Vec<String> = typed(field, value)?;
                wants_logprobs |= wanted.iter().any(|one| one == "message.output_text.logprobs");
            }
            "top_logprobs" => {
                wants_logprobs |= value != 0;
                chat.set(field, value.clone(), field);
            }
            "previous_response_id" | "conversation" | "prompt" => {
                return Err(RequestError::Unsteerable {
                    field: field.clone(),
                    reason: "nothing of earlier answers is kept here, so all of the conversation has to be in the input",
                });
            }
            "background" if flag(field, value)? => {
                return Err(RequestError::Unsteerable {
                    field: field.clone(),
                    reason: "an answer is given at once, and none is kept to be fetched",
                });
            }
            "truncation" if value != "disabled" => {
                return Err(RequestError::Unsteerable {
                    field: field.clone(),
                    reason: "messages are not left out of a conversation that is too long",
                });
            }
            // Already read, or without effect on an answer that is not kept.
            "instructions" | "background" | "truncation" | "max_tool_calls" | "stream_options" => {}
            _ if OF_CHATS.contains(&field.as_str()) => return Err(unknown(field)),
            _ => chat.set(field, value.clone(), field),
        }
    }
    if wants_logprobs {
        chat.set("logprobs", true.into(), "top_logprobs");
    }
    chat.read("input")
}

/// Fields that a chat has and a response has not, or has under another name.
const OF_CHATS: [&str; 10] = [
    "messages",
    "max_tokens",
    "max_completion_tokens",
    "n",
    "logprobs",
    "response_format",
    "reasoning_effort",
    "functions",
    "function_call",
    "modalities",
];

#[derive(Deserialize)]
struct Reasoning {
    effort: Option<String>,
}

#[derive(Deserialize)]
struct Text {
    format: Option<Format>,
}

/// `json_schema` stands beside its name here, and one level deeper in a chat.
#[derive(Deserialize)]
struct Format {
    #[serde(rename = "type")]
    kind: String,
    #[serde(flatten)]
    further: Map<String, Value>,
}

fn chat_format(chat: &mut Converted, value: &Value) -> Result<(), RequestError> {
    let Text { format } = typed("text", value)?;
    if let Some(Format { kind, further }) = format {
        let mut format = json!({"type": kind});
        if kind == "json_schema" {
            format["json_schema"] = further.into();
        }
        chat.set("response_format", format, "text.format");
    }
    Ok(())
}

#[derive(Deserialize)]
struct Tool {
    #[serde(rename = "type")]
    kind: String,
    #[serde(flatten)]
    further: Map<String, Value>,
}

impl Tool {
    fn of_chat(self, index: usize) -> Result<Value, RequestError> {
        if self.kind != "function" {
            return Err(RequestError::Unsteerable {
                field: format!("tools[{index}].type"),
                reason: "only tools of the type function are supported, which the client runs itself",
            });
        }
        Ok(json!({"type": "function", "function": self.further}))
    }
}

fn tool_choice(value: &Value) -> Result<Value, RequestError> {
    let kind = value.get("type").and_then(Value::as_str);
    match (value, kind) {
        (Value::String(_), _) => Ok(value.clone()),
        (_, Some("function")) => Ok(json!({"type": "function", "function": {"name": value["name"]}})),
        (_, Some(_)) => Err(RequestError::Unsteerable {
            field: "tool_choice.type".to_owned(),
            reason: "only tools of the type function are supported, which the client runs itself",
        }),
        (_, None) => Err(ApiError::invalid(
            "tool_choice",
            "it must be a string, or an object that has a type and a name",
        )
        .into()),
    }
}

/// One of the input's items. Which fields it has depends on its type.
#[derive(Deserialize)]
struct Item {
    #[serde(rename = "type")]
    kind: Option<String>,
    role: Option<String>,
    content: Option<Content<Part>>,
    call_id: Option<String>,
    name: Option<String>,
    arguments: Option<String>,
    output: Option<Content<Part>>,
}

fn input(chat: &mut Converted, value: &Value) -> Result<(), RequestError> {
    let items = match typed::<Content<Item>>("input", value)? {
        Content::Text(said) => {
            chat.message(json!({"role": "user", "content": said}), "input".to_owned());
            return Ok(());
        }
        Content::Parts(items) => items,
    };
    for (index, item) in items.into_iter().enumerate() {
        one_item(chat, item, format!("input[{index}]"))?;
    }
    Ok(())
}

fn one_item(chat: &mut Converted, item: Item, at: String) -> Result<(), RequestError> {
    let missing = |field: &str| ApiError::invalid(format!("{at}.{field}"), "an item of this type needs it");
    match item.kind.as_deref() {
        None | Some("message") => {
            let role = item.role.ok_or_else(|| missing("role"))?;
            let content = item.content.ok_or_else(|| missing("content"))?;
            let said = content.text(&format!("{at}.content"))?;
            // What was thought before it belongs to the same turn.
            match chat
                .assistant()
                .filter(|turn| role == "assistant" && turn["content"].is_null())
            {
                Some(turn) if turn.get("tool_calls").is_none() => turn["content"] = said.into(),
                _ => chat.message(json!({"role": role, "content": said}), at),
            }
        }
        Some("reasoning") => {
            if let Some(thought) = item.content {
                let thought = thought.text(&format!("{at}.content"))?;
                let turn = json!({"role": "assistant", "content": null, "reasoning_content": thought});
                chat.message(turn, at);
            }
        }
        Some("function_call") => {
            let id = item.call_id.ok_or_else(|| missing("call_id"))?;
            let name = item.name.ok_or_else(|| missing("name"))?;
            let arguments = item.arguments.ok_or_else(|| missing("arguments"))?;
            chat.call(&id, &name, &arguments, at);
        }
        Some("function_call_output") => {
            let id = item.call_id.ok_or_else(|| missing("call_id"))?;
            let said = item
                .output
                .ok_or_else(|| missing("output"))?
                .text(&format!("{at}.output"))?;
            chat.message(json!({"role": "tool", "tool_call_id": id, "content": said}), at);
        }
        Some(_) => {
            return Err(RequestError::Unsteerable {
                field: format!("{at}.type"),
                reason: "of the input's items, messages, reasoning and calls of functions with their outputs are supported",
            });
        }
    }
    Ok(())
}
