use std::sync::Arc;

use reqwest::header::{HeaderMap, HeaderValue};

use serde_json::Value;

use super::Affinity;
use crate::vocabulary::{ChatMessage, TemplateOptions, TokenId};

/// Who asks the upstream: what all requests of one session share.
#[derive(Clone, Default)]
pub struct Caller {
    /// The model's name, as the client wrote it.
    pub model: Option<String>,
    /// The client's own `Authorization` header, used where no key is configured.
    pub authorization: Option<HeaderValue>,
    /// Headers of distributed tracing, which name the request.
    pub trace: HeaderMap,
    /// Which session it is, for servers and proxies that keep a cache.
    pub affinity: Affinity,
    /// Options of the chat template, for servers that render chats themselves.
    pub template: TemplateOptions,
}

impl Caller {
    /// Names the options of the chat template in a request that has the server render a chat.
    pub fn add_template_options(&self, body: &mut Value) {
        if !self.template.0.is_empty() {
            body["chat_template_kwargs"] = self.template.0.clone().into();
        }
    }
}

/// What the upstream is to continue: prompt and picked tokens.
#[derive(Clone)]
pub struct Prefix {
    /// The chat that the prompt spells, for servers that take no ids.
    pub chat: Arc<[ChatMessage]>,
    /// What the assistant has said behind the chat already, and the prompt spells as well; for the same servers.
    pub begun: Arc<str>,
    /// Ids of the prompt, then of the picked tokens.
    pub ids: Vec<TokenId>,
    /// How many of them are the prompt's.
    pub prompt: usize,
}

impl Prefix {
    /// The prompt of `chat`, with nothing picked.
    pub fn new(chat: Arc<[ChatMessage]>, ids: Vec<TokenId>) -> Self {
        Self {
            chat,
            begun: Arc::default(),
            prompt: ids.len(),
            ids,
        }
    }

    /// The same for a chat whose last message is gone on with; it says `begun`.
    pub fn begun(chat: &[ChatMessage], begun: &str, ids: Vec<TokenId>) -> Self {
        let before = chat.split_last().map_or(chat, |(_, before)| before);
        Self {
            begun: begun.into(),
            ..Self::new(before.into(), ids)
        }
    }

    /// The tokens after the prompt.
    pub fn picked(&self) -> &[TokenId] {
        self.ids.get(self.prompt..).unwrap_or_default()
    }
}

/// What to ask for.
#[derive(Clone)]
pub struct PositionRequest {
    /// Who asks.
    pub caller: Caller,
    /// What to continue.
    pub prefix: Prefix,
    /// The most positions to generate.
    pub window: usize,
    /// How many candidates each position should list.
    pub top_k: usize,
}

/// What to ask for at a single position.
#[derive(Clone)]
pub struct CandidateRequest {
    /// Who asks.
    pub caller: Caller,
    /// What stands before the position.
    pub prefix: Prefix,
    /// Which tokens.
    pub wanted: CandidateQuery,
    /// The temperature the server samples at. Raw log-probabilities do not depend on it, so `doctor` varies it to see if they are raw.
    pub temperature: f64,
}

/// Tokens whose ln p is wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum CandidateQuery {
    /// As many of the likeliest.
    Likeliest(usize),
    /// Exactly these. The server learns from it which tokens matter to somebody.
    Tokens(Vec<TokenId>),
}
