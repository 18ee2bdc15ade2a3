use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::slots::{Seat, Slots};
use super::wire::{Event, Events, Listed, Rendered, SlotState};
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
    slots: Arc<Slots>,
}

/// Lists of any length, down to the whole vocabulary; a single token is found in there.
pub const LIMITS: RequestLimits = RequestLimits {
    longest_list: None,
    by_id: true,
};

/// Longer than any vocabulary; the server shortens it without a word.
const WHOLE_VOCABULARY: usize = 10_000_000;

/// More than any server has.
const MOST_SLOTS: usize = 1024;

/// How long a session waits for its own slot before it goes to another, where all of its prompt is computed anew.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than any bias that could stand against it.
const FORCED: f64 = 1e6;

impl LlamaCpp {
    /// The server behind `connection`; `end` ends a turn in its model's vocabulary.
    pub fn new(connection: Arc<Connection>, end: TokenId) -> Self {
        Self {
            connection,
            end,
            slots: Arc::default(),
        }
    }

    /// The session's slot, or a new one for a new session. The server is asked which are idle, because in a busy one a session would wait
    /// for somebody else's answer. Where it does not say, it chooses.
    async fn seat(&self, request: &PositionRequest) -> Option<Seat> {
        let PositionRequest { caller, prefix, .. } = request;
        let own = self.slots.own(&caller.affinity, &prefix.ids);
        if own.is_some() {
            return own;
        }
        let said = self.connection.get(Endpoint::Native("/slots"), caller).await;
        let said = said
            .ok()
            .and_then(|(_, body)| Vec::<SlotState>::deserialize(body).ok())?;
        let busy: Vec<bool> = said.iter().take(MOST_SLOTS).map(|slot| slot.is_processing).collect();
        self.slots.take(&caller.affinity, &prefix.ids, &busy)
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

    /// Opens a stream in the session's slot.
    pub(super) async fn stream(&self, request: &PositionRequest) -> Result<Stream, UpstreamError> {
        let affinity = &request.caller.affinity;
        let seat = self.seat(request).await;
        let opening = self.stream_in(request, seat);
        let Some(Seat { slot, .. }) = seat.filter(Seat::only_goes_on) else {
            return opening.await;
        };
        // The server answers with the first token. Where that takes long, somebody else's long answer is in the slot.
        if let Ok(stream) = timeout(PATIENCE, opening).await {
            return stream;
        }
        tracing::debug!(slot, "the slot is busy; asking for any other");
        self.slots.leave(affinity, slot);
        self.stream_in(request, None).await
    }

    async fn stream_in(&self, request: &PositionRequest, seat: Option<Seat>) -> Result<Stream, UpstreamError> {
        let mut body = self.body(&request.prefix, request.window, request.top_k);
        body["timings_per_token"] = true.into();
        if let Some(seat) = seat {
            body["id_slot"] = seat.slot.into();
        }
        let deadline = self.connection.first_token_deadline();
        let sending = self.connection.post(COMPLETION, &body, &request.caller, deadline);
        let computed = Arc::default();
        let events = Events {
            top_k: request.top_k,
            predicted: 0,
            computed: Arc::clone(&computed),
        };
        let listed = read(sending.await?, &self.connection, deadline, events);
        Ok(Stream { listed, computed, seat })
    }

    /// Has the session compute elsewhere where its slot turned out not to hold what it held before.
    pub(super) fn check_seat(&self, request: &PositionRequest, seat: Seat, computed: usize) {
        let held = request.prefix.ids.len() - seat.fresh;
        if seat.returning && computed > seat.fresh + held / 2 {
            tracing::debug!(slot = seat.slot, computed, "the slot is shared; moving to another");
            self.slots.leave(&request.caller.affinity, seat.slot);
        }
    }

    /// Asks for the list of one position, whatever would be sampled there.
    fn list(&self, prefix: &Prefix, length: usize, temperature: f64) -> Value {
        let mut body = self.body(prefix, 1, length);
        body["logit_bias"] = json!([[self.end, FORCED]]);
        body["stream"] = false.into();
        body["temperature"] = temperature.into();
        // Without it the answer repeats all settings and the prompt.
        body["response_fields"] = json!(["completion_probabilities"]);
        body
    }

    async fn listed(&self, body: &Value, caller: &Caller) -> Result<Vec<(TokenId, f64)>, UpstreamError> {
        let answer: Event = self.connection.ask(COMPLETION, body, caller).await?;
        let entry = answer.completion_probabilities.into_iter().next();
        let entry = entry.ok_or_else(|| self.connection.problem(Problem::NoLogprobs))?;
        Ok(entry.candidates())
    }

    /// The position the stream said nothing of. The server samples greedily, so its draft is the likeliest.
    pub(super) async fn withheld(&self, request: &PositionRequest) -> Result<Position, UpstreamError> {
        let seat = self.slots.own(&request.caller.affinity, &request.prefix.ids);
        let mut body = self.list(&request.prefix, request.top_k, 0.0);
        if let Some(seat) = seat {
            body["id_slot"] = seat.slot.into();
        }
        let known = self.listed(&body, &request.caller).await?;
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
        // In no slot of the session's: its stream may be going on there.
        let body = self.list(&request.prefix, length, request.temperature);
        let known = self.listed(&body, &request.caller).await?;
        answering(&request.wanted, known).map_err(|problem| self.connection.problem(problem))
    }
}

impl Upstream for LlamaCpp {
    fn positions(&self, request: PositionRequest) -> Reply<'_, Positions> {
        async move {
            let begun = self.stream(&request).await?;
            Ok(stream(Generation::new(self.clone(), request, begun)))
        }
        .boxed()
    }

    fn candidates(&self, request: CandidateRequest) -> Reply<'_, Vec<(TokenId, f64)>> {
        self.single(request).boxed()
    }

    fn came_back(&self) {
        self.slots.forget();
    }

    fn tokenize<'a>(&'a self, text: &'a str, caller: &'a Caller) -> Reply<'a, Option<Vec<TokenId>>> {
        async move {
            let body = json!({"content": text, "add_special": false, "parse_special": true});
            Ok(Some(self.connection.tokenize(&body, caller).await?))
        }
        .boxed()
    }

    fn prompt(&self, chat: Arc<[ChatMessage]>, caller: Caller) -> Reply<'_, Option<Vec<TokenId>>> {
        async move {
            let mut body = json!({"messages": &*chat});
            caller.add_template_options(&mut body);
            let template = Endpoint::Native("/apply-template");
            let Rendered { prompt } = match self.connection.ask(template, &body, &caller).await {
                Ok(rendered) => rendered,
                Err(error) if error.problem.is_no_such_route() => return Ok(None),
                Err(error) => return Err(error),
            };
            let text = json!({"content": prompt, "add_special": true, "parse_special": true});
            Ok(Some(self.connection.tokenize(&text, &caller).await?))
        }
        .boxed()
    }
}

/// One answer of the server.
pub struct Stream {
    pub listed: BoxStream<'static, Result<Listed, UpstreamError>>,
    /// How much of the prompt was computed, once that is known.
    pub computed: Arc<OnceLock<usize>>,
    /// Where it was to be computed; `None` where the server chose.
    pub seat: Option<Seat>,
}

/// A generation across the positions that its streams withhold.
pub struct Generation {
    server: LlamaCpp,
    /// What is left to ask for, from what has been handed out.
    request: PositionRequest,
    /// `None` where the last one withheld a position.
    stream: Option<Stream>,
}

impl Generation {
    /// What `server` has begun to answer to `request`.
    pub fn new(server: LlamaCpp, request: PositionRequest, begun: Stream) -> Self {
        Self {
            server,
            request,
            stream: Some(begun),
        }
    }

    async fn listed(&mut self) -> Result<Option<Listed>, UpstreamError> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(self.server.stream(&self.request).await?),
        };
        let next = stream.listed.next().await.transpose()?;
        // Looked at once, with the first event.
        if let Some((seat, computed)) = stream
            .computed
            .get()
            .and_then(|computed| Some((stream.seat.take()?, *computed)))
        {
            self.server.check_seat(&self.request, seat, computed);
        }
        Ok(next)
    }
}

impl PositionSource for Generation {
    async fn next(&mut self) -> Result<Option<Position>, UpstreamError> {
        if self.request.window == 0 {
            return Ok(None);
        }
        let position = match self.listed().await? {
            None => return Ok(None),
            Some(Listed::Position(position)) => position,
            Some(Listed::Withheld) => {
                self.stream = None;
                self.server.withheld(&self.request).await?
            }
        };
        self.request.window -= 1;
        self.request.prefix.ids.push(position.draft);
        Ok(Some(position))
    }
}
