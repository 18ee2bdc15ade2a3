use serde_json::{Map, Value};

use super::answer::{Form, Frame};
use super::request::{RequestError, chat_request, completion_request, messages_request, responses_request};
use crate::service::PublicRequest;
use crate::wire::Shape;

/// The APIs whose answers can be steered.
#[derive(Clone, Copy)]
pub enum Api {
    /// OpenAI's chat completions.
    Chat,
    /// OpenAI's completions.
    Completion,
    /// OpenAI's responses.
    Responses,
    /// Anthropic's messages.
    Messages,
}

impl Api {
    /// What a request asks for.
    ///
    /// # Errors
    /// [`RequestError`] naming the first field that is wrong or cannot be steered.
    pub fn read(self, body: &Map<String, Value>) -> Result<PublicRequest, RequestError> {
        match self {
            Self::Chat => chat_request(body),
            Self::Completion => completion_request(body),
            Self::Responses => responses_request(body),
            Self::Messages => messages_request(body),
        }
    }

    /// What the answer to it looks like.
    pub fn form(self, body: &Map<String, Value>) -> Form {
        match self {
            Self::Chat => Form::Openai(Shape::Chat),
            Self::Completion => Form::Openai(Shape::Completion),
            Self::Responses => Form::Response(Frame::new(body)),
            Self::Messages => Form::Message,
        }
    }
}
