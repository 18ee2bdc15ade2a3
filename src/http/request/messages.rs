use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::RequestError;
use super::converted::Converted;
use super::options::unknown;
use super::typed::{Content, Part, not_text, typed};
use crate::http::ApiError;
use crate::service::PublicRequest;

/// Reads the body of `POST /v1/messages`, which has lost its private parts.
///
/// # Errors
/// [`RequestError`] naming the first field that is wrong or cannot be steered.
pub fn messages_request(body: &Map<String, Value>) -> Result<PublicRequest, RequestError> {
    if body.get("max_tokens").is_none_or(Value::is_null) {
        return Err(ApiError::invalid("max_tokens", "it is missing").into());
    }
    prompt_request(body)
}

/// The same for `POST /v1/messages/count_tokens`, which sets no limit.
///
/// # Errors
/// As for [`messages_request`].
pub fn prompt_request(body: &Map<String, Value>) -> Result<PublicRequest, RequestError> {
    let mut chat = Converted::default();
    // The system speaks first, wherever it is written.
    if let Some(system) = body.get("system").filter(|value| !value.is_null()) {
        let said = typed::<Content<Part>>("system", system)?.text("system")?;
        chat.message(json!({"role": "system", "content": said}), "system".to_owned());
    }
    for (field, value) in body.iter().filter(|(_, value)| !value.is_null()) {
        match field.as_str() {
            "messages" => {
                for (index, message) in typed::<Vec<Message>>(field, value)?.into_iter().enumerate() {
                    message.of_chat(&mut chat, &format!("messages[{index}]"))?;
                }
                // An answer that the client has begun is gone on with.
                if chat.assistant().is_some() {
                    chat.set("continue_final_message", true.into(), field);
                }
            }
            "stop_sequences" => chat.set("stop", value.clone(), field),
            "tools" => {
                let tools = typed::<Vec<Tool>>(field, value)?.into_iter().enumerate();
                let tools: Result<Value, _> = tools.map(|(index, tool)| tool.of_chat(index)).collect();
                chat.set("tools", tools?, field);
            }
            "tool_choice" => typed::<ToolChoice>(field, value)?.of_chat(&mut chat)?,
            "output_config" => {
                let OutputConfig { effort, format } = typed(field, value)?;
                if let Some(effort) = effort {
                    chat.set("reasoning_effort", effort.into(), "output_config.effort");
                }
                if let Some(Format { kind, schema }) = format {
                    let format = json!({"type": kind, "json_schema": {"name": "answer", "schema": schema}});
                    chat.set("response_format", format, "output_config.format");
                }
            }
            "system" | "cache_control" | "inference_geo" => {}
            "context_management" if keeps_all(value) => {}
            _ if is_empty(value) && FURTHER.contains(&field.as_str()) => {}
            _ if OF_CHATS.contains(&field.as_str()) => return Err(unknown(field)),
            _ => chat.set(field, value.clone(), field),
        }
    }
    chat.read("messages")
}

/// Fields that Anthropic's server does something for, which are often there and empty.
const FURTHER: [&str; 3] = ["mcp_servers", "context_management", "container"];

/// Fields that a chat has and a message has not, or has under another name.
const OF_CHATS: [&str; 11] = [
    "max_completion_tokens",
    "n",
    "logprobs",
    "top_logprobs",
    "response_format",
    "reasoning_effort",
    "functions",
    "function_call",
    "modalities",
    "stop",
    "stream_options",
];

/// Whether only thoughts are to be cleared, and all of them kept, as Claude Code asks.
fn keeps_all(management: &Value) -> bool {
    let clears_nothing = |edit: &Value| {
        let kind = edit["type"].as_str().unwrap_or_default();
        kind.starts_with("clear_thinking_") && edit["keep"] == "all"
    };
    let edits = management["edits"].as_array();
    edits.is_some_and(|edits| edits.iter().all(clears_nothing))
        && management.as_object().is_some_and(|all| all.len() == 1)
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
}

#[derive(Deserialize)]
struct OutputConfig {
    effort: Option<String>,
    format: Option<Format>,
}

#[derive(Deserialize)]
struct Format {
    #[serde(rename = "type")]
    kind: String,
    schema: Value,
}

#[derive(Deserialize)]
struct Tool {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: String,
    description: Option<String>,
    input_schema: Option<Value>,
}

impl Tool {
    fn of_chat(self, index: usize) -> Result<Value, RequestError> {
        if self.kind.is_some_and(|kind| kind != "custom") {
            return Err(RequestError::Unsteerable {
                field: format!("tools[{index}].type"),
                reason: "only tools with a schema of their own are supported, which the client runs itself",
            });
        }
        let mut function = json!({"name": self.name, "parameters": self.input_schema});
        if let Some(description) = self.description {
            function["description"] = description.into();
        }
        Ok(json!({"type": "function", "function": function}))
    }
}

#[derive(Deserialize)]
struct ToolChoice {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    disable_parallel_tool_use: Option<bool>,
}

impl ToolChoice {
    fn of_chat(self, chat: &mut Converted) -> Result<(), ApiError> {
        let choice = match (self.kind.as_str(), self.name) {
            ("auto" | "none", _) => self.kind.into(),
            ("any", _) => "required".into(),
            ("tool", Some(name)) => json!({"type": "function", "function": {"name": name}}),
            _ => {
                let wanted = "its type must be auto, any, none, or tool with a name";
                return Err(ApiError::invalid("tool_choice", wanted));
            }
        };
        chat.set("tool_choice", choice, "tool_choice");
        if let Some(disabled) = self.disable_parallel_tool_use {
            let origin = "tool_choice.disable_parallel_tool_use";
            chat.set("parallel_tool_calls", (!disabled).into(), origin);
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: Content<Block>,
}

/// A part of a message. Which fields it has depends on its type.
#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    thinking: Option<String>,
    id: Option<String>,
    name: Option<String>,
    input: Option<Value>,
    tool_use_id: Option<String>,
    content: Option<Content<Part>>,
}

impl Message {
    fn of_chat(self, chat: &mut Converted, at: &str) -> Result<(), RequestError> {
        let blocks = match self.content {
            Content::Text(said) => {
                chat.message(json!({"role": self.role, "content": said}), at.to_owned());
                return Ok(());
            }
            Content::Parts(blocks) => blocks,
        };
        let (mut said, mut thought, mut calls) = (String::new(), String::new(), Vec::new());
        let mut has_results = false;
        for (index, block) in blocks.into_iter().enumerate() {
            let at = format!("{at}.content[{index}]");
            let missing = |field: &str| ApiError::invalid(format!("{at}.{field}"), "a block of this type needs it");
            match block.kind.as_str() {
                "text" => said.push_str(&block.text.ok_or_else(|| missing("text"))?),
                "thinking" => thought.push_str(&block.thinking.ok_or_else(|| missing("thinking"))?),
                // Nobody but who has written it can read it.
                "redacted_thinking" => {}
                "tool_use" => {
                    let id = block.id.ok_or_else(|| missing("id"))?;
                    let name = block.name.ok_or_else(|| missing("name"))?;
                    let input = block.input.ok_or_else(|| missing("input"))?;
                    calls.push((id, name, input.to_string(), at));
                }
                "tool_result" => {
                    has_results = true;
                    let id = block.tool_use_id.ok_or_else(|| missing("tool_use_id"))?;
                    let result = block.content.map(|content| content.text(&format!("{at}.content")));
                    let result = result.transpose()?.unwrap_or_default();
                    chat.message(json!({"role": "tool", "tool_call_id": id, "content": result}), at);
                }
                _ => return Err(not_text(at)),
            }
        }
        // Results are messages of their own in a chat, and what the person says comes after them.
        if !said.is_empty() || !thought.is_empty() || !has_results {
            let mut message = json!({"role": self.role, "content": said});
            if !thought.is_empty() {
                message["reasoning_content"] = thought.into();
            }
            chat.message(message, at.to_owned());
        }
        for (id, name, arguments, at) in calls {
            chat.call(&id, &name, &arguments, at);
        }
        Ok(())
    }
}
