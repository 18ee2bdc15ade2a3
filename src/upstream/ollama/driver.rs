use std::sync::Arc;

use futures::FutureExt;
use serde_json::{Value, json};

use super::generation::Generation;
use super::wire::{Event, Events};
use crate::upstream::connection::{Connection, Endpoint};
use crate::upstream::named::{Nameless, candidates};
use crate::upstream::position_source::stream;
use crate::upstream::reader::read;
use crate::upstream::{
    Caller, CandidateQuery, CandidateRequest, PositionRequest, Positions, Prefix, Problem, Reply, RequestLimits,
    Upstream, UpstreamError,
};
use crate::vocabulary::{TokenId, Tokenizer};

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

    /// The prefix as text, and the bytes of a character that it begins. The server itself puts before it what the model expects before any
    /// text.
    fn text(&self, prefix: &Prefix) -> Result<(String, Vec<u8>), UpstreamError> {
        let before = self.tokenizer.text_prompt("").unwrap_or_default();
        let ids = prefix.ids.strip_prefix(before.as_slice()).unwrap_or(&prefix.ids);
        let mut bytes = Vec::new();
        for id in ids {
            match self.tokenizer.bytes().get(*id) {
                [] => bytes.extend(self.tokenizer.name(*id).into_bytes()),
                text => bytes.extend(text),
            }
        }
        let whole = match std::str::from_utf8(&bytes) {
            Err(error) if error.error_len().is_some() => {
                let reason = "it takes text only, and the prompt holds bytes that are none".to_owned();
                return Err(self.connection.problem(Problem::Unusable { reason }));
            }
            Err(error) => error.valid_up_to(),
            Ok(text) => text.len(),
        };
        let begun = bytes.split_off(whole);
        Ok((String::from_utf8_lossy(&bytes).into_owned(), begun))
    }

    async fn stream(&self, request: PositionRequest) -> Result<Positions, UpstreamError> {
        let (prompt, begun) = self.text(&request.prefix)?;
        // Where the last one ends inside a character, the server shows nothing of that character.
        let positions = request.window + begun.len() + REST_OF_A_CHARACTER;
        let body = self.body(&request.caller, &prompt, positions, request.top_k);
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
        let (prompt, _) = self.text(prefix)?;
        let mut body = self.body(caller, &prompt, 1, count);
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
