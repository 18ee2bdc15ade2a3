use serde_json::{Map, Value, json};

use super::RequestError;
use super::continued::ContinuedFields;
use super::options;
use super::others::Others;
use super::structure::StructureFields;
use super::template::TemplateFields;
use super::tools::Choice;
use crate::context::{Chat, PublicPrompt};
use crate::http::ApiError;
use crate::service::{Options, PublicRequest};
use crate::structure::{ForcedCall, Structure};
use crate::vocabulary::{ChatMessage, Role, TOOL_CALLS};

/// A chat, and how it is to be answered. Requests of all APIs come to it, but those for a text.
#[derive(Default)]
pub struct Conversation {
    /// The messages.
    pub messages: Vec<ChatMessage>,
    /// The functions that the answer may call, in the form of OpenAI's chats.
    pub tools: Vec<Value>,
    /// Whether it does.
    pub choice: Choice,
    /// Whether the answer goes on with the last message.
    pub continued: bool,
    /// How it is answered.
    pub options: Options,
    /// What the answer must look like.
    pub structure: StructureFields,
    /// How the chat template is to write it.
    pub template: TemplateFields,
}

impl Conversation {
    /// Adds what the system says, where that is anything: without a word, a chat template says what it says by itself.
    pub fn system(&mut self, said: String) {
        if !said.is_empty() {
            self.messages.push(ChatMessage::new(Role::System, said));
        }
    }

    /// The assistant's message that what it says next belongs to, if it is still its turn.
    pub fn turn(&mut self) -> Option<&mut ChatMessage> {
        self.messages
            .last_mut()
            .filter(|message| message.role == Role::Assistant)
    }

    /// Adds a call that the assistant made, to its turn.
    pub fn call(&mut self, id: &str, name: &str, arguments: &str) {
        let call = json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
        if self.turn().is_none() {
            self.messages.push(ChatMessage::new(Role::Assistant, ""));
        }
        if let Some(turn) = self.turn() {
            match turn.fields.get_mut(TOOL_CALLS).and_then(Value::as_array_mut) {
                Some(calls) => calls.push(call),
                None => turn.fields.extend([(TOOL_CALLS.to_owned(), json!([call]))]),
            }
        }
    }

    /// Adds what came of the call with this id.
    pub fn result(&mut self, id: String, said: String) {
        let mut message = ChatMessage::new(Role::Tool, said);
        message.fields.insert("tool_call_id".to_owned(), id.into());
        self.messages.push(message);
    }

    /// The request, with the fields that APIs have in common: the `rest` of its body. `messages` is what the API calls them.
    ///
    /// # Errors
    /// [`RequestError`] naming the first field that is wrong or cannot be steered.
    pub fn request(mut self, messages: &str, rest: Map<String, Value>) -> Result<PublicRequest, RequestError> {
        let mut continued = ContinuedFields::default();
        let others = Others::read(rest, |field, value| {
            Ok(options::read(&mut self.options, field, value)?
                || self.template.read(field, value)?
                || self.structure.read(field, value)?
                || continued.read(field, value)?)
        })?;
        let Some(last) = self.messages.last().map(|last| last.role) else {
            return Err(ApiError::invalid(messages, "it must be a list with at least one message").into());
        };
        let continued = continued.say_so(last)? || self.continued;
        self.options.structure = self.structure.structure();
        // A model that may call none is told of none.
        self.tools.retain(|_| self.choice != Choice::None);
        if self.options.structure.is_some() && !self.tools.is_empty() {
            return Err(RequestError::Unsteerable {
                field: "tools".to_owned(),
                reason: "an answer that must have a format cannot call tools",
            });
        }
        if let Choice::Forced(call) = self.choice {
            self.options.structure = Some(forced(call, &self.tools, self.options.parallel_calls)?);
        }
        let request = PublicRequest {
            prompts: vec![PublicPrompt::Chat(Chat {
                messages: self.messages.into(),
                options: self.template.options(),
                tools: self.tools.into(),
                continued,
            })],
            options: self.options,
        };
        others.check(&request)?;
        Ok(request)
    }
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

/// Who speaks in the message at `at`.
///
/// # Errors
/// 400 where `name` is nobody's.
pub fn role(at: &str, name: &str) -> Result<Role, ApiError> {
    match name {
        "system" | "developer" => Ok(Role::System),
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        "tool" | "function" => Ok(Role::Tool),
        _ => {
            let known = "it must be one of system, developer, user, assistant, tool";
            Err(ApiError::invalid(format!("{at}.role"), known))
        }
    }
}
