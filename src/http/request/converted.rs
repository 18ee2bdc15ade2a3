use serde_json::{Map, Value, json};

use super::RequestError;
use super::any::any_chat;
use crate::service::PublicRequest;

/// A request of another API, written as a chat: all of them are read in one place.
#[derive(Default)]
pub struct Converted {
    body: Map<String, Value>,
    messages: Vec<Value>,
    /// Names of the chat's fields, and where the client has written what is in them.
    origins: Vec<(String, String)>,
}

impl Converted {
    /// Sets a field of the chat to what the client wrote at `origin`.
    pub fn set(&mut self, field: &str, value: Value, origin: &str) {
        if field != origin {
            self.origins.push((field.to_owned(), origin.to_owned()));
        }
        self.body.insert(field.to_owned(), value);
    }

    /// Adds a message that the client wrote at `origin`.
    pub fn message(&mut self, message: Value, origin: String) {
        self.origins
            .push((format!("messages[{}]", self.messages.len()), origin));
        self.messages.push(message);
    }

    /// The assistant's message that what it says next belongs to, if it is still its turn.
    pub fn assistant(&mut self) -> Option<&mut Value> {
        self.messages
            .last_mut()
            .filter(|message| message["role"] == "assistant")
    }

    /// Adds a call that the assistant made, to its turn.
    pub fn call(&mut self, id: &str, name: &str, arguments: &str, origin: String) {
        let call = json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
        if self.assistant().is_none() {
            self.message(json!({"role": "assistant", "content": null}), origin);
        }
        if let Some(message) = self.assistant() {
            match message.get_mut("tool_calls").and_then(Value::as_array_mut) {
                Some(calls) => calls.push(call),
                None => message["tool_calls"] = json!([call]),
            }
        }
    }

    /// Reads the chat.
    ///
    /// # Errors
    /// As for [`any_chat`], in the names of the API that it came by. `messages` is what that calls them.
    pub fn read(mut self, messages: &str) -> Result<PublicRequest, RequestError> {
        self.origins.push(("messages".to_owned(), messages.to_owned()));
        self.body.insert("messages".to_owned(), self.messages.into());
        let origins = self.origins;
        any_chat(self.body).map_err(|error| error.renamed(|field| origin(&origins, field)))
    }
}

fn origin(origins: &[(String, String)], field: &str) -> String {
    let names = |name: &str| {
        let rest = field.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let found = origins.iter().find(|(name, _)| names(name));
    found.map_or_else(|| field.to_owned(), |(_, origin)| origin.clone())
}
