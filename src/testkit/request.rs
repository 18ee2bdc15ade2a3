use serde::Deserialize;
use serde_json::Value;

use super::error::Refusal;
use super::logprobs::LogprobSelection;
use super::server::DemoServer;
use crate::steering::Sampling;
use crate::vocabulary::{ChatMessage, Role, TokenId};

/// What both endpoints take. Fields it does not know are ignored, as vLLM does.
#[derive(Deserialize)]
pub struct Common {
    pub model: Option<String>,
    pub max_tokens: Option<usize>,
    pub max_completion_tokens: Option<usize>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub seed: Option<i64>,
    #[serde(default)]
    pub stream: bool,
    pub stream_options: Option<StreamOptions>,
    #[serde(default)]
    pub return_token_ids: bool,
}

#[derive(Deserialize)]
pub struct StreamOptions {
    #[serde(default)]
    pub include_usage: bool,
}

/// `POST /v1/completions`.
#[derive(Deserialize)]
pub struct Completion {
    #[serde(flatten)]
    pub common: Common,
    pub prompt: Prompt,
    pub logprobs: Option<i64>,
    pub logprob_token_ids: Option<Vec<u32>>,
    #[serde(default)]
    pub return_tokens_as_token_ids: bool,
}

/// A prompt as text or as ids.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Prompt {
    Text(String),
    Ids(Vec<u32>),
}

/// `POST /v1/chat/completions`.
#[derive(Deserialize)]
pub struct Chat {
    #[serde(flatten)]
    pub common: Common,
    pub messages: Vec<Message>,
}

#[derive(Deserialize)]
pub struct Message {
    role: String,
    content: Value,
}

/// vLLM's default length of a completion.
const DEFAULT_MAX_TOKENS: usize = 16;

impl Common {
    /// Checks what can be checked without the model.
    pub fn check(&self, server: &DemoServer) -> Result<(), Refusal> {
        if let Some(name) = self.model.as_deref().filter(|name| *name != server.name) {
            return Err(Refusal::unknown_model(name, &server.name));
        }
        if self.max_tokens == Some(0) || self.max_completion_tokens == Some(0) {
            return Err(Refusal::bad(
                "max_tokens",
                "max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)",
            ));
        }
        if self
            .temperature
            .is_some_and(|temperature| !(0.0..=100.0).contains(&temperature))
        {
            return Err(Refusal::bad("temperature", "temperature must be non-negative."));
        }
        if self.top_p.is_some_and(|top_p| !(top_p > 0.0 && top_p <= 1.0)) {
            return Err(Refusal::bad("top_p", "top_p must be in (0, 1]."));
        }
        Ok(())
    }

    /// vLLM's defaults where the request says nothing.
    pub fn sampling(&self) -> Sampling {
        Sampling {
            temperature: self.temperature.unwrap_or(1.0),
            top_p: self.top_p.unwrap_or(1.0),
            seed: self.seed.map_or_else(rand::random, i64::cast_unsigned),
            ..Sampling::default()
        }
    }

    /// Tokens of a completion.
    pub fn completion_tokens(&self) -> usize {
        self.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS)
    }

    /// Tokens of a chat answer: all that fit, where the request does not say.
    pub fn chat_tokens(&self) -> usize {
        self.max_completion_tokens.or(self.max_tokens).unwrap_or(usize::MAX)
    }

    pub fn include_usage(&self) -> bool {
        self.stream_options
            .as_ref()
            .is_some_and(|options| options.include_usage)
    }
}

impl Completion {
    /// The prompt as ids.
    pub fn prompt_ids(&self, server: &DemoServer) -> Result<Vec<TokenId>, Refusal> {
        let ids = match &self.prompt {
            Prompt::Text(text) => text_ids(text, server)?,
            Prompt::Ids(ids) => ids.iter().copied().map(TokenId).collect(),
        };
        if ids.is_empty() {
            return Err(Refusal::bad("prompt", "You must pass at least one prompt"));
        }
        match ids.iter().find(|id| id.index() >= server.rows) {
            Some(id) => Err(Refusal::bad(
                "prompt",
                format!("Token id {} is out of vocabulary", id.0),
            )),
            None => Ok(ids),
        }
    }

    /// Which candidates to list; −1 lists the vocabulary, as in vLLM with `--max-logprobs -1`.
    pub fn selection(&self, server: &DemoServer) -> Result<LogprobSelection, Refusal> {
        let Some(k) = self.logprobs else {
            return match self.logprob_token_ids {
                Some(_) => Err(Refusal::bad(
                    "logprob_token_ids",
                    "logprob_token_ids needs logprobs to be set.",
                )),
                None => Ok(LogprobSelection::Nothing),
            };
        };
        if let Some(ids) = &self.logprob_token_ids {
            return match ids.iter().find(|id| **id as usize >= server.rows) {
                Some(id) => Err(Refusal::bad(
                    "logprob_token_ids",
                    format!("Token id {id} is out of vocabulary"),
                )),
                None => Ok(LogprobSelection::These(ids.iter().copied().map(TokenId).collect())),
            };
        }
        if k == -1 {
            return Ok(LogprobSelection::Top(usize::MAX));
        }
        usize::try_from(k)
            .map(LogprobSelection::Top)
            .map_err(|_| Refusal::bad("logprobs", format!("logprobs must be non-negative or -1, got {k}.")))
    }
}

impl Chat {
    /// The rendered chat as ids.
    pub fn prompt_ids(&self, server: &DemoServer) -> Result<Vec<TokenId>, Refusal> {
        chat_ids(&self.messages, server)
    }
}

/// What is to become ids: a text or a chat, whichever there is.
#[derive(Deserialize)]
pub struct Tokenize {
    prompt: Option<String>,
    messages: Option<Vec<Message>>,
}

impl Tokenize {
    /// The ids. Special tokens are not added to a text: the shipped models expect none.
    pub fn ids(&self, server: &DemoServer) -> Result<Vec<TokenId>, Refusal> {
        match (&self.prompt, &self.messages) {
            (Some(text), _) => text_ids(text, server),
            (None, Some(messages)) => chat_ids(messages, server),
            (None, None) => Err(Refusal::bad("prompt", "Give a prompt or messages.")),
        }
    }
}

fn text_ids(text: &str, server: &DemoServer) -> Result<Vec<TokenId>, Refusal> {
    let ids = server.tokenizer.encode(text);
    ids.map_err(|error| Refusal::bad("prompt", error.to_string()))
}

fn chat_ids(messages: &[Message], server: &DemoServer) -> Result<Vec<TokenId>, Refusal> {
    let messages = messages.iter().map(chat_message).collect::<Result<Vec<_>, _>>()?;
    let ids = server.tokenizer.chat_prompt(&messages);
    ids.map_err(|error| Refusal::bad("messages", error.to_string()))
}

fn chat_message(message: &Message) -> Result<ChatMessage, Refusal> {
    let role = match message.role.as_str() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        other => {
            return Err(Refusal::bad("messages", format!("Unexpected message role: {other}")));
        }
    };
    let text = match &message.content {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => parts
            .iter()
            .map(|part| part.get("text").and_then(Value::as_str))
            .collect::<Option<String>>(),
        _ => None,
    };
    text.map(|text| ChatMessage::new(role, text))
        .ok_or_else(|| Refusal::bad("messages", "Only text messages are supported."))
}
