use std::collections::VecDeque;
use std::sync::Arc;

use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};

use super::wire::{Event, Events, Listed};
use crate::upstream::connection::{Connection, Endpoint};
use crate::upstream::named::{Entry, Nameless, candidates};
use crate::upstream::position_source::{PositionSource, stream};
use crate::upstream::prefix_text::PrefixText;
use crate::upstream::reader::read;
use crate::upstream::{
    Caller, CandidateQuery, CandidateRequest, Position, PositionRequest, Positions, Prefix, Problem, Reply,
    RequestLimits, Upstream, UpstreamError,
};
use crate::vocabulary::{TokenId, Tokenizer};

/// Bytes that the host may have held back for a character of several tokens, at most.
const MOST_HELD_BACK: usize = 1024;

const GENERATE: Endpoint<'_> = Endpoint::Native("/api/generate");

/// The most tokens that a character can lack.
const REST_OF_A_CHARACTER: usize = 3;

/// Ollama's longest list.
const LONGEST: usize = 20;

/// What Ollama gives.
pub const LIMITS: RequestLimits = RequestLimits {
    longest_list: Some(LONGEST),
    by_id: false,
};

/// An Ollama server.
#[derive(Clone)]
pub struct Ollama {
    pub(super) connection: Arc<Connection>,
    pub(super) tokenizer: Arc<Tokenizer>,
    /// The model that is asked for where the client names none.
    model: Option<String>,
}

impl Ollama {
    /// The server behind `connection`, which serves `model` among others.
    pub fn new(connection: Arc<Connection>, tokenizer: Arc<Tokenizer>, model: Option<String>) -> Self {
        Self {
            connection,
            tokenizer,
            model,
        }
    }

    /// Greedy, with every sampling setting spelled out: Ollama otherwise takes those of the model's file.
    fn body(&self, caller: &Caller, prompt: &str, positions: usize, candidates: usize) -> Value {
        json!({
            "model": caller.model.as_ref().or(self.model.as_ref()),
            "prompt": prompt,
            "raw": true,
            "stream": true,
            "logprobs": true,
            "top_logprobs": candidates.min(LONGEST),
            "options": {
                "num_predict": positions,
                "temperature": 0.0,
                "top_p": 1.0,
                "min_p": 0.0,
                "repeat_penalty": 1.0,
                "presence_penalty": 0.0,
                "frequency_penalty": 0.0,
            },
        })
    }

    fn text(&self, prefix: &Prefix) -> Result<PrefixText, UpstreamError> {
        PrefixText::new(prefix, &self.tokenizer).map_err(|problem| self.connection.problem(problem))
    }

    async fn stream(&self, request: PositionRequest) -> Result<Positions, UpstreamError> {
        let PrefixText { text, begun } = self.text(&request.prefix)?;
        // Where the last one ends inside a character, the server shows nothing of that character.
        let positions = request.window + begun.len() + REST_OF_A_CHARACTER;
        let body = self.body(&request.caller, &text, positions, request.top_k);
        let deadline = self.connection.first_token_deadline();
        let response = self.connection.post(GENERATE, &body, &request.caller, deadline).await?;
        let listed = read(response, &self.connection, deadline, Events);
        Ok(stream(Generation::new(self.clone(), request, begun, listed)))
    }

    /// The list of the position after a prefix, whatever the server would go on with: a format forces the first token of a string, which has
    /// a text, so that the answer is not dropped.
    pub(super) async fn list(
        &self,
        prefix: &Prefix,
        caller: &Caller,
        count: usize,
        temperature: f64,
    ) -> Result<Vec<(TokenId, f64)>, UpstreamError> {
        let problem = |problem| self.connection.problem(problem);
        let PrefixText { text, .. } = self.text(prefix)?;
        let mut body = self.body(caller, &text, 1, count);
        body["stream"] = false.into();
        body["format"] = json!({"type": "string"});
        body["options"]["temperature"] = temperature.into();
        let answer: Event = self.connection.ask(GENERATE, &body, caller).await?;
        let entry = answer.logprobs.into_iter().next();
        let entry = entry.ok_or_else(|| problem(Problem::NoLogprobs))?;
        let count = count.min(entry.top_logprobs.len());
        candidates(&self.tokenizer, &entry, count, None, Nameless::End).map_err(problem)
    }

    async fn single(&self, request: CandidateRequest) -> Result<Vec<(TokenId, f64)>, UpstreamError> {
        match request.wanted {
            CandidateQuery::Likeliest(count) => {
                self.list(&request.prefix, &request.caller, count, request.temperature)
                    .await
            }
            CandidateQuery::Tokens(tokens) => {
                let asked = tokens.len();
                let problem = Problem::NotTheTokensAskedFor { asked, given: 0 };
                Err(self.connection.problem(problem))
            }
        }
    }
}

impl Upstream for Ollama {
    fn positions(&self, request: PositionRequest) -> Reply<'_, Positions> {
        self.stream(request).boxed()
    }

    fn candidates(&self, request: CandidateRequest) -> Reply<'_, Vec<(TokenId, f64)>> {
        self.single(request).boxed()
    }
}

/// A generation, with the end of turn that no stream shows, and with characters of several tokens.
pub struct Generation {
    server: Ollama,
    /// What is left to ask for, from what has been handed out.
    request: PositionRequest,
    listed: BoxStream<'static, Result<Listed, UpstreamError>>,
    /// Bytes of a character that the prefix begins, and that could not be sent.
    begun: Vec<u8>,
    /// Known and not handed out.
    ready: VecDeque<Position>,
}

impl Generation {
    /// What `server` has begun to answer to `request`, whose prefix ends with the bytes `begun` of a character.
    pub fn new(
        server: Ollama,
        request: PositionRequest,
        begun: Vec<u8>,
        listed: BoxStream<'static, Result<Listed, UpstreamError>>,
    ) -> Self {
        Self {
            server,
            request,
            listed,
            begun,
            ready: VecDeque::new(),
        }
    }

    fn entry(&self, entry: &Entry) -> Result<Position, Problem> {
        let tokenizer = &self.server.tokenizer;
        let draft = entry.id(tokenizer).ok_or_else(|| {
            let text = &entry.token;
            Problem::Malformed(format!(
                "its token {text:?} is none of the local vocabulary; do upstream.tokenizer and its model belong together?"
            ))
        })?;
        let candidates = candidates(tokenizer, entry, self.request.top_k, Some(draft), Nameless::End)?;
        Ok(Position { draft, candidates })
    }

    /// The tokens of a text that the host has chosen as a whole, but for those that spell what is begun.
    fn text(&mut self, text: &str) -> Result<(), Problem> {
        if text.len() > MOST_HELD_BACK {
            let length = text.len();
            return Err(Problem::Malformed(format!(
                "{length} bytes of text come with the log-probabilities of a single token"
            )));
        }
        let tokenizer = &self.server.tokenizer;
        let tokens = tokenizer
            .encode(text)
            .map_err(|error| Problem::Malformed(error.to_string()))?;
        let mut left = std::mem::take(&mut self.begun);
        for token in tokens {
            let bytes = tokenizer.bytes().get(token);
            match left.strip_prefix(bytes).map(<[u8]>::to_vec) {
                Some(rest) if !left.is_empty() => left = rest,
                _ if left.is_empty() => self.ready.push_back(Position::certain(token)),
                _ => break,
            }
        }
        if left.is_empty() {
            Ok(())
        } else {
            let reason = "it does not go on with the character whose first bytes are picked".to_owned();
            Err(Problem::Unusable { reason })
        }
    }

    /// The position at which the answer stopped.
    async fn end(&mut self) -> Result<Position, UpstreamError> {
        let PositionRequest {
            caller, prefix, top_k, ..
        } = &self.request;
        let draft = self.server.tokenizer.end();
        let candidates = self.server.list(prefix, caller, *top_k, 0.0).await?;
        if candidates.iter().any(|(id, _)| *id == draft) {
            Ok(Position { draft, candidates })
        } else {
            Ok(Position::certain(draft))
        }
    }

    async fn read(&mut self) -> Result<bool, UpstreamError> {
        let Some(listed) = self.listed.next().await.transpose()? else {
            return Ok(false);
        };
        let connection = Arc::clone(&self.server.connection);
        let problem = |problem| connection.problem(problem);
        match listed {
            Listed::Entry(entry) if self.begun.is_empty() => {
                let position = self.entry(&entry).map_err(problem)?;
                self.ready.push_back(position);
            }
            Listed::Entry(entry) => self.text(&entry.token).map_err(problem)?,
            Listed::Text(text) => self.text(&text).map_err(problem)?,
            Listed::Stopped => {
                let end = self.end().await?;
                self.ready.push_back(end);
            }
        }
        Ok(true)
    }
}

impl PositionSource for Generation {
    async fn next(&mut self) -> Result<Option<Position>, UpstreamError> {
        if self.request.window == 0 {
            return Ok(None);
        }
        while self.ready.is_empty() {
            if !self.read().await? {
                return Ok(None);
            }
        }
        let position = self.ready.pop_front();
        if let Some(position) = &position {
            self.request.window -= 1;
            self.request.prefix.ids.push(position.draft);
        }
        Ok(position)
    }
}
