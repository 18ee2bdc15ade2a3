use std::sync::Arc;

use futures::FutureExt;
use serde_json::json;

use super::wire::{Event, Events, body, candidates};
use crate::upstream::connection::{Connection, Endpoint};
use crate::upstream::reader::read;
use crate::upstream::{
    Caller, CandidateQuery, CandidateRequest, PositionRequest, Positions, Reply, RequestLimits, Upstream, UpstreamError,
};
use crate::vocabulary::TokenId;

const GENERATE: Endpoint<'_> = Endpoint::Native("/generate");

/// What the documentation promises.
pub const LIMITS: RequestLimits = RequestLimits {
    longest_list: None,
    by_id: true,
};

/// An SGLang server.
pub struct Sglang {
    connection: Arc<Connection>,
}

impl Sglang {
    /// The server behind `connection`.
    pub fn new(connection: Arc<Connection>) -> Self {
        Self { connection }
    }

    async fn stream(&self, request: PositionRequest) -> Result<Positions, UpstreamError> {
        let mut body = body(&request.prefix, request.window, request.top_k);
        body["stream"] = true.into();
        let deadline = self.connection.first_token_deadline();
        let sending = self.connection.post(GENERATE, &body, &request.caller, deadline);
        let events = Events {
            top_k: request.top_k,
            seen: 0,
        };
        Ok(read(sending.await?, &self.connection, deadline, events))
    }

    async fn single(&self, request: CandidateRequest) -> Result<Vec<(TokenId, f64)>, UpstreamError> {
        let mut body = match &request.wanted {
            CandidateQuery::Likeliest(count) => body(&request.prefix, 1, *count),
            CandidateQuery::Tokens(tokens) => {
                let mut body = body(&request.prefix, 1, 0);
                body["token_ids_logprob"] = json!(tokens);
                body
            }
        };
        body["sampling_params"]["temperature"] = request.temperature.into();
        let answer: Event = self.connection.ask(GENERATE, &body, &request.caller).await?;
        candidates(answer, &request.wanted).map_err(|problem| self.connection.problem(problem))
    }
}

impl Upstream for Sglang {
    fn positions(&self, request: PositionRequest) -> Reply<'_, Positions> {
        self.stream(request).boxed()
    }

    fn candidates(&self, request: CandidateRequest) -> Reply<'_, Vec<(TokenId, f64)>> {
        self.single(request).boxed()
    }

    fn tokenize<'a>(&'a self, text: &'a str, caller: &'a Caller) -> Reply<'a, Option<Vec<TokenId>>> {
        self.connection.tokenize_text(text, caller).boxed()
    }
}
