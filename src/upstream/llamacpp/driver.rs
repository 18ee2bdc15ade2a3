use std::sync::Arc;

use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};

use super::wire::{Event, Events, Listed, Rendered};
use crate::upstream::connection::{Connection, Endpoint};
use crate::upstream::position_source::{PositionSource, stream};
use crate::upstream::ranking::{answering, ranked};
use crate::upstream::reader::read;
use crate::upstream::{
    Caller, CandidateQuery, CandidateRequest, Position, PositionRequest, Positions, Prefix, Problem, Reply,
    RequestLimits, Upstream, UpstreamError,
};
use crate::vocabulary::{ChatMessage, TokenId};

const COMPLETION: Endpoint<'_> = Endpoint::Native("/completion");

/// A llama.cpp server.
#[derive(Clone)]
pub struct LlamaCpp {
    connection: Arc<Connection>,
    /// A token that ends the turn and therefore is never part of a character.
    end: TokenId,
}

/// Lists of any length, down to the whole vocabulary; a single token is found in there.
pub const LIMITS: RequestLimits = RequestLimits {
    longest_list: None,
    by_id: true,
};

/// Longer than any vocabulary; the server shortens it without a word.
const WHOLE_VOCABULARY: usize = 10_000_000;

/// More than any bias that could stand against it.
const FORCED: f64 = 1e6;

impl LlamaCpp {
    /// The server behind `connection`; `end` ends a turn in its model's vocabulary.
    pub fn new(connection: Arc<Connection>, end: TokenId) -> Self {
        Self { connection, end }
    }

    /// Greedy and raw, with every setting that could change what is sampled spelled out.
    fn body(&self, prefix: &Prefix, positions: usize, candidates: usize) -> Value {
        json!({
            "prompt": prefix.ids,
            "n_predict": positions,
            "n_probs": candidates,
            "post_sampling_probs": false,
            "temperature": 0.0,
            "repeat_penalty": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "dry_multiplier": 0.0,
            "mirostat": 0,
            "cache_prompt": true,
            "return_tokens": true,
            "stream": true,
        })
    }

    async fn stream(
        &self,
        request: &PositionRequest,
    ) -> Result<BoxStream<'static, Result<Listed, UpstreamError>>, UpstreamError> {
        let body = self.body(&request.prefix, request.window, request.top_k);
        let deadline = self.connection.first_token_deadline();
        let sending = self.connection.post(COMPLETION, &body, &request.caller, deadline);
        let events = Events {
            top_k: request.top_k,
            predicted: 0,
        };
        Ok(read(sending.await?, &self.connection, deadline, events))
    }

    /// The list of one position, whatever would be sampled there.
    async fn list(
        &self,
        prefix: &Prefix,
        caller: &Caller,
        length: usize,
        temperature: f64,
    ) -> Result<Vec<(TokenId, f64)>, UpstreamError> {
        let mut body = self.body(prefix, 1, length);
        body["logit_bias"] = json!([[self.end, FORCED]]);
        body["stream"] = false.into();
        body["temperature"] = temperature.into();
        // Without it the answer repeats all settings and the prompt.
        body["response_fields"] = json!(["completion_probabilities"]);
        let answer: Event = self.connection.ask(COMPLETION, &body, caller).await?;
        let entry = answer.completion_probabilities.into_iter().next();
        let entry = entry.ok_or_else(|| self.connection.problem(Problem::NoLogprobs))?;
        Ok(entry.candidates())
    }

    /// The position the stream said nothing of. The server samples greedily, so its draft is the likeliest.
    async fn withheld(&self, request: &PositionRequest) -> Result<Position, UpstreamError> {
        let known = self.list(&request.prefix, &request.caller, request.top_k, 0.0).await?;
        let problem = |problem| self.connection.problem(problem);
        let candidates = ranked(known, request.top_k).map_err(problem)?;
        let (draft, _) = candidates.first().ok_or_else(|| problem(Problem::NoLogprobs))?;
        Ok(Position {
            draft: *draft,
            candidates,
        })
    }

    async fn single(&self, request: CandidateRequest) -> Result<Vec<(TokenId, f64)>, UpstreamError> {
        let length = match &request.wanted {
            CandidateQuery::Likeliest(count) => *count,
            CandidateQuery::Tokens(_) => WHOLE_VOCABULARY,
        };
        let known = self
            .list(&request.prefix, &request.caller, length, request.temperature)
            .await?;
        answering(&request.wanted, known).map_err(|problem| self.connection.problem(problem))
    }
}

/// A generation across the positions that its streams withhold.
struct Generation {
    server: LlamaCpp,
    /// What is left to ask for, from what has been handed out.
    request: PositionRequest,
    /// `None` where the last one withheld a position.
    listed: Option<BoxStream<'static, Result<Listed, UpstreamError>>>,
}

impl PositionSource for Generation {
    async fn next(&mut self) -> Result<Option<Position>, UpstreamError> {
        if self.request.window == 0 {
            return Ok(None);
        }
        if self.listed.is_none() {
            self.listed = Some(self.server.stream(&self.request).await?);
        }
        let next = match &mut self.listed {
            Some(listed) => listed.next().await.transpose()?,
            None => None,
        };
        let position = match next {
            None => return Ok(None),
            Some(Listed::Position(position)) => position,
            Some(Listed::Withheld) => {
                self.listed = None;
                self.server.withheld(&self.request).await?
            }
        };
        self.request.window -= 1;
        self.request.prefix.ids.push(position.draft);
        Ok(Some(position))
    }
}

impl Upstream for LlamaCpp {
    fn positions(&self, request: PositionRequest) -> Reply<'_, Positions> {
        async move {
            let listed = self.stream(&request).await?;
            let generation = Generation {
                server: self.clone(),
                request,
                listed: Some(listed),
            };
            Ok(stream(generation))
        }
        .boxed()
    }

    fn candidates(&self, request: CandidateRequest) -> Reply<'_, Vec<(TokenId, f64)>> {
        self.single(request).boxed()
    }

    fn tokenize<'a>(&'a self, text: &'a str, caller: &'a Caller) -> Reply<'a, Option<Vec<TokenId>>> {
        async move {
            let body = json!({"content": text, "add_special": false, "parse_special": false});
            Ok(Some(self.connection.tokenize(&body, caller).await?))
        }
        .boxed()
    }

    fn prompt(&self, chat: Arc<[ChatMessage]>, caller: Caller) -> Reply<'_, Option<Vec<TokenId>>> {
        async move {
            let messages = json!({"messages": &*chat});
            let template = Endpoint::Native("/apply-template");
            let Rendered { prompt } = self.connection.ask(template, &messages, &caller).await?;
            let text = json!({"content": prompt, "add_special": true, "parse_special": true});
            Ok(Some(self.connection.tokenize(&text, &caller).await?))
        }
        .boxed()
    }
}
