//! llama.cpp's server, on its own `/completion`: token ids in and out, lists of any length.
//!
//! Source: the server's README and recorded answers of it. Two traps shape this driver. A token that leaves the text inside
//! a character is withheld until the character is whole, and its list never comes; such a position is asked for once
//! more, alone, with the end of turn forced, which changes what is sampled and not what is listed. And a request that is
//! not streamed goes on computing when its client has left, so everything longer than one position is streamed.

mod wire;

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, stream};
use serde_json::{Value, json};

use super::connection::{Connection, Endpoint};
use super::describe::Limits;
use super::ranking::{answering, ranked};
use super::reader::read;
use super::{
    Caller, CandidateRequest, Position, PositionRequest, Positions, Prefix, Problem, Upstream, UpstreamError, Wanted,
};
use crate::vocabulary::{ChatMessage, TokenId};
use wire::{Event, Events, Listed, Rendered};

const COMPLETION: Endpoint<'_> = Endpoint::Native("/completion");

/// A llama.cpp server.
#[derive(Clone)]
pub struct LlamaCpp {
    connection: Arc<Connection>,
    /// A token that ends the turn and therefore is never part of a character.
    end: TokenId,
}

/// Lists of any length, down to the whole vocabulary; a single token is found in there.
pub const LIMITS: Limits = Limits {
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
            Wanted::Likeliest(count) => *count,
            Wanted::Tokens(_) => WHOLE_VOCABULARY,
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

impl Generation {
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
    fn positions(&self, request: PositionRequest) -> BoxFuture<'_, Result<Positions, UpstreamError>> {
        async move {
            let listed = self.stream(&request).await?;
            let generation = Generation {
                server: self.clone(),
                request,
                listed: Some(listed),
            };
            let positions = stream::unfold(Some(generation), |generation| async move {
                let mut generation = generation?;
                let next = generation.next().await.transpose()?;
                let rest = next.is_ok().then_some(generation);
                Some((next, rest))
            });
            Ok(positions.boxed())
        }
        .boxed()
    }

    fn candidates(&self, request: CandidateRequest) -> BoxFuture<'_, Result<Vec<(TokenId, f64)>, UpstreamError>> {
        self.single(request).boxed()
    }

    fn tokenize<'a>(
        &'a self,
        text: &'a str,
        caller: &'a Caller,
    ) -> BoxFuture<'a, Result<Option<Vec<TokenId>>, UpstreamError>> {
        async move {
            let body = json!({"content": text, "add_special": false, "parse_special": false});
            Ok(Some(self.connection.tokenize(&body, caller).await?))
        }
        .boxed()
    }

    fn prompt(
        &self,
        chat: Arc<[ChatMessage]>,
        caller: Caller,
    ) -> BoxFuture<'_, Result<Option<Vec<TokenId>>, UpstreamError>> {
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
