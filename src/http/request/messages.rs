use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::RequestError;
use super::conversation::{Conversation, role};
use super::options::unknown;
use super::structure::Format;
use super::tools::{Choice, Name};
use super::typed::{Content, Object, Part, not_text, typed};
use crate::http::ApiError;
use crate::service::PublicRequest;
use crate::structure::ForcedCall;
use crate::vocabulary::ChatMessage;

/// What Anthropic's messages have of their own, or in other words than a chat.
#[derive(Deserialize)]
struct Body {
    system: Option<Content<Part>>,
    messages: Option<Vec<Message>>,
    tools: Option<Vec<Tool>>,
    tool_choice: Option<ToolChoice>,
    output_config: Option<OutputConfig>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
struct OutputConfig {
    effort: Option<String>,
    format: Option<Format>,
    #[serde(flatten)]
    _object: Object,
}

/// Fields that the rest must not have, because a message has them under another name, or not at all.
const OF_CHATS: [&str; 5] = ["n", "response_format", "reasoning_effort", "stop", "stream_options"];
/// Fields that change no answer.
const WITHOUT_EFFECT: [&str; 2] = ["cache_control", "inference_geo"];
/// Fields that Anthropic's server does something for, which are often there and empty.
const FURTHER: [&str; 3] = ["mcp_servers", "context_management", "container"];

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
    let mut body: Body = typed("", body)?;
    body.rest.retain(|field, value| {
        let is_neutral = WITHOUT_EFFECT.contains(&field.as_str())
            || field == "context_management" && keeps_all(value)
            || FURTHER.contains(&field.as_str()) && is_empty(value);
        !value.is_null() && !is_neutral
    });
    if let Some(field) = OF_CHATS.iter().find(|field| body.rest.contains_key(**field)) {
        return Err(unknown(field));
    }
    let mut chat = Conversation::default();
    if let Some(system) = body.system {
        chat.system(system.text("system")?);
    }
    for (index, message) in body.messages.into_iter().flatten().enumerate() {
        message.read(&mut chat, &format!("messages[{index}]"))?;
    }
    // An answer that the client has begun is gone on with.
    chat.continued = chat.turn().is_some();
    for (index, tool) in body.tools.into_iter().flatten().enumerate() {
        chat.tools.push(tool.of_chat(&format!("tools[{index}]"))?);
    }
    if let Some(chosen) = body.tool_choice {
        chat.options.parallel_calls = chosen.disable_parallel_tool_use != Some(true);
        chat.choice = chosen.of_chat()?;
    }
    if let Some(OutputConfig { effort, format, .. }) = body.output_config {
        if let Some(effort) = effort {
            chat.template.effort(effort);
        }
        if let Some(format) = format {
            chat.structure.format("output_config.format", format)?;
        }
    }
    chat.request("messages", body.rest)
}

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
struct Tool {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<Name>,
    description: Option<String>,
    input_schema: Option<Value>,
    #[serde(flatten)]
    _object: Object,
}

impl Tool {
    fn of_chat(self, at: &str) -> Result<Value, RequestError> {
        if self.kind.is_some_and(|kind| kind != "custom") {
            return Err(RequestError::Unsteerable {
                field: format!("{at}.type"),
                reason: "only tools with a schema of their own are supported, which the client runs itself",
            });
        }
        let missing = || ApiError::invalid(format!("{at}.name"), "it is missing");
        let Name(name) = self.name.ok_or_else(missing)?;
        let mut function = json!({"name": name, "parameters": self.input_schema});
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
    #[serde(flatten)]
    _object: Object,
}

impl ToolChoice {
    fn of_chat(self) -> Result<Choice, ApiError> {
        match (self.kind.as_str(), self.name) {
            ("auto", _) => Ok(Choice::Auto),
            ("none", _) => Ok(Choice::None),
            ("any", _) => Ok(Choice::Forced(ForcedCall::Any)),
            ("tool", Some(name)) => Ok(Choice::Forced(ForcedCall::Function(name))),
            _ => {
                let wanted = "its type must be auto, any, none, or tool with a name";
                Err(ApiError::invalid("tool_choice", wanted))
            }
        }
    }
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: Content<Block>,
    #[serde(flatten)]
    _object: Object,
}

/// A part of a message. Which fields it has depends on its type.
#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    thinking: Option<String>,
    id: Option<String>,
    name: Option<Name>,
    input: Option<Value>,
    tool_use_id: Option<String>,
    content: Option<Content<Part>>,
    #[serde(flatten)]
    _object: Object,
}

impl Message {
    fn read(self, chat: &mut Conversation, at: &str) -> Result<(), RequestError> {
        let role = role(at, &self.role)?;
        let blocks = match self.content {
            Content::Text(said) => {
                chat.messages.push(ChatMessage::new(role, said));
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
                    let Name(name) = block.name.ok_or_else(|| missing("name"))?;
                    let input = block.input.ok_or_else(|| missing("input"))?;
                    calls.push((id, name, input.to_string()));
                }
                "tool_result" => {
                    has_results = true;
                    let id = block.tool_use_id.ok_or_else(|| missing("tool_use_id"))?;
                    let result = block.content.map(|content| content.text(&format!("{at}.content")));
                    let result = result.transpose()?.unwrap_or_default();
                    chat.result(id, result);
                }
                _ => return Err(not_text(at)),
            }
        }
        // Results are messages of their own in a chat, and what the person says comes after them.
        if !said.is_empty() || !thought.is_empty() || !has_results {
            let mut message = ChatMessage::new(role, said);
            if !thought.is_empty() {
                message.fields.insert("reasoning_content".to_owned(), thought.into());
            }
            chat.messages.push(message);
        }
        for (id, name, arguments) in calls {
            chat.call(&id, &name, &arguments);
        }
        Ok(())
    }
}
