use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::RequestError;
use super::conversation::{Conversation, role};
use super::options::{MOST_LISTED, unknown};
use super::read::{Limit, Whole};
use super::structure::Format;
use super::tools::{Name, choice, not_function};
use super::typed::{Content, Object, Part, typed};
use crate::http::ApiError;
use crate::service::PublicRequest;
use crate::vocabulary::{ChatMessage, Role, TOOL_CALLS};

/// What a response has of its own, or in other words than a chat.
#[derive(Deserialize)]
struct Body {
    instructions: Option<String>,
    input: Option<Content<Item>>,
    max_output_tokens: Option<Limit<1>>,
    text: Option<Text>,
    reasoning: Option<Reasoning>,
    tools: Option<Vec<Tool>>,
    tool_choice: Option<Value>,
    include: Option<Vec<String>>,
    top_logprobs: Option<Whole<0, MOST_LISTED>>,
    background: Option<bool>,
    truncation: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
struct Text {
    format: Option<Format>,
    #[serde(flatten)]
    _object: Object,
}

#[derive(Deserialize)]
struct Reasoning {
    effort: Option<String>,
    #[serde(flatten)]
    _object: Object,
}

/// Fields that the rest must not have, because a response has them under another name, or not at all.
const OF_CHATS: [&str; 4] = ["max_tokens", "n", "response_format", "reasoning_effort"];
/// Fields that go on from what somebody has kept.
const KEPT: [&str; 3] = ["previous_response_id", "conversation", "prompt"];
/// Fields without effect on an answer that calls no tools by itself and is not kept.
const WITHOUT_EFFECT: [&str; 2] = ["max_tool_calls", "stream_options"];

/// Reads the body of `POST /v1/responses`, which has lost its private parts.
///
/// # Errors
/// [`RequestError`] naming the first field that is wrong or cannot be steered.
pub fn responses_request(body: &Map<String, Value>) -> Result<PublicRequest, RequestError> {
    let mut body: Body = typed("", body)?;
    body.rest
        .retain(|field, value| !value.is_null() && !WITHOUT_EFFECT.contains(&field.as_str()));
    let refused = |field: &str, reason| {
        Err(RequestError::Unsteerable {
            field: field.to_owned(),
            reason,
        })
    };
    if let Some(field) = KEPT.iter().find(|field| body.rest.contains_key(**field)) {
        let reason = "nothing of earlier answers is kept here, so all of the conversation has to be in the input";
        return refused(field, reason);
    }
    if let Some(field) = OF_CHATS.iter().find(|field| body.rest.contains_key(**field)) {
        return Err(unknown(field));
    }
    if body.background == Some(true) {
        let reason = "an answer is given at once, and none is kept to be fetched";
        return refused("background", reason);
    }
    if body.truncation.is_some_and(|truncation| truncation != "disabled") {
        let reason = "messages are not left out of a conversation that is too long";
        return refused("truncation", reason);
    }
    let mut chat = Conversation::default();
    chat.system(body.instructions.unwrap_or_default());
    match body.input {
        Some(Content::Text(said)) => chat.messages.push(ChatMessage::new(Role::User, said)),
        Some(Content::Parts(items)) => {
            for (index, item) in items.into_iter().enumerate() {
                item.read(&mut chat, &format!("input[{index}]"))?;
            }
        }
        None => {}
    }
    for (index, tool) in body.tools.into_iter().flatten().enumerate() {
        chat.tools.push(tool.of_chat(&format!("tools[{index}]"))?);
    }
    if let Some(chosen) = body.tool_choice {
        chat.choice = choice(&chosen, chosen["type"].as_str().and(chosen["name"].as_str()))?;
    }
    if let Some(format) = body.text.and_then(|text| text.format) {
        chat.structure.format("text.format", format)?;
    }
    if let Some(effort) = body.reasoning.and_then(|reasoning| reasoning.effort) {
        chat.template.effort(effort);
    }
    chat.options.max_tokens = body.max_output_tokens.and_then(|limit| limit.0);
    let listed = body.top_logprobs.map_or(0, |listed| listed.0);
    let mut included = body.include.into_iter().flatten();
    let wants_logprobs = listed > 0 || included.any(|one| one == "message.output_text.logprobs");
    chat.options.logprobs = wants_logprobs.then_some(listed);
    chat.request("input", body.rest)
}

#[derive(Deserialize)]
struct Tool {
    #[serde(rename = "type")]
    kind: String,
    #[serde(flatten)]
    function: Map<String, Value>,
}

impl Tool {
    fn of_chat(self, at: &str) -> Result<Value, RequestError> {
        if self.kind != "function" {
            return Err(not_function(format!("{at}.type")));
        }
        let name = self.function.get("name").unwrap_or_default();
        typed::<Name>(&format!("{at}.name"), name)?;
        Ok(json!({"type": "function", "function": self.function}))
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
    name: Option<Name>,
    arguments: Option<String>,
    output: Option<Content<Part>>,
    #[serde(flatten)]
    _object: Object,
}

impl Item {
    fn read(self, chat: &mut Conversation, at: &str) -> Result<(), RequestError> {
        let missing = |field: &str| ApiError::invalid(format!("{at}.{field}"), "an item of this type needs it");
        match self.kind.as_deref() {
            None | Some("message") => {
                let role = role(at, &self.role.ok_or_else(|| missing("role"))?)?;
                let content = self.content.ok_or_else(|| missing("content"))?;
                let said = content.text(&format!("{at}.content"))?;
                // What was thought before it belongs to the same turn.
                let silent = |turn: &&mut ChatMessage| turn.content.is_empty() && !turn.fields.contains_key(TOOL_CALLS);
                match chat.turn().filter(silent).filter(|_| role == Role::Assistant) {
                    Some(turn) => turn.content = said,
                    None => chat.messages.push(ChatMessage::new(role, said)),
                }
            }
            Some("reasoning") => {
                if let Some(thought) = self.content {
                    let thought = thought.text(&format!("{at}.content"))?;
                    let mut turn = ChatMessage::new(Role::Assistant, "");
                    turn.fields.insert("reasoning_content".to_owned(), thought.into());
                    chat.messages.push(turn);
                }
            }
            Some("function_call") => {
                let id = self.call_id.ok_or_else(|| missing("call_id"))?;
                let Name(name) = self.name.ok_or_else(|| missing("name"))?;
                let arguments = self.arguments.ok_or_else(|| missing("arguments"))?;
                chat.call(&id, &name, &arguments);
            }
            Some("function_call_output") => {
                let id = self.call_id.ok_or_else(|| missing("call_id"))?;
                let output = self.output.ok_or_else(|| missing("output"))?;
                chat.result(id, output.text(&format!("{at}.output"))?);
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
}
