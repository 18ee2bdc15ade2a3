use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, Response};
use tokio::time::{Instant, timeout_at};

use super::reader::{Overdue, read};
use super::wire::{CompletionEvent, CompletionRequest};
use super::{CandidateRequest, PositionRequest, Positions, Upstream, UpstreamError, innermost};
use crate::vocabulary::TokenId;

/// How long to wait for the upstream.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From sending a request to its first token.
    pub first_token: Duration,
    /// Between two tokens.
    pub idle: Duration,
}

/// A vLLM server, spoken to in token ids on `/v1/completions`.
pub struct Vllm {
    client: Client,
    url: String,
    authorization: Option<HeaderValue>,
    timeouts: Timeouts,
}

impl Vllm {
    /// `url` is the base that ends in `/v1`; `authorization` takes the place of what requests bring.
    pub fn new(client: Client, url: &str, authorization: Option<HeaderValue>, timeouts: Timeouts) -> Self {
        Self {
            client,
            url: format!("{}/completions", url.trim_end_matches('/')),
            authorization,
            timeouts,
        }
    }

    async fn ask(&self, request: PositionRequest) -> Result<Positions, UpstreamError> {
        let body =
            CompletionRequest::positions(request.model.as_deref(), &request.prefix, request.window, request.top_k);
        let deadline = Instant::now() + self.timeouts.first_token;
        let response = self.send(&body, request.authorization, deadline).await?;
        Ok(read(response, &self.url, request.top_k, deadline, self.timeouts))
    }

    async fn ask_again(&self, request: CandidateRequest) -> Result<Vec<(TokenId, f64)>, UpstreamError> {
        let body = CompletionRequest::single(request.model.as_deref(), &request.prefix, &request.wanted);
        let deadline = Instant::now() + self.timeouts.first_token;
        let response = self.send(&body, request.authorization, deadline).await?;
        let answer = timeout_at(deadline, response.bytes())
            .await
            .map_err(|_| self.overdue())?;
        let answer = answer.map_err(|error| {
            tracing::debug!(%error, "the upstream's answer broke");
            UpstreamError::Cut
        })?;
        let answer: CompletionEvent =
            serde_json::from_slice(&answer).map_err(|error| UpstreamError::Malformed(error.to_string()))?;
        answer.candidates(&request.wanted)
    }

    /// Sends a request; resolves when an answer begins that is no refusal.
    async fn send(
        &self,
        body: &CompletionRequest<'_>,
        authorization: Option<HeaderValue>,
        deadline: Instant,
    ) -> Result<Response, UpstreamError> {
        let mut http = self.client.post(&self.url).json(body);
        if let Some(value) = self.authorization.clone().or(authorization) {
            http = http.header(AUTHORIZATION, value);
        }
        let response = timeout_at(deadline, http.send())
            .await
            .map_err(|_| self.overdue())?
            .map_err(|error| UpstreamError::Unreachable {
                url: self.url.clone(),
                reason: innermost(&error),
            })?;
        if response.status().is_success() {
            Ok(response)
        } else {
            let refusal = timeout_at(deadline, refusal(response)).await;
            Err(refusal.unwrap_or_else(|_| self.overdue()))
        }
    }

    fn overdue(&self) -> UpstreamError {
        Overdue::FirstToken.error(&self.url, self.timeouts)
    }
}

impl Upstream for Vllm {
    fn positions(&self, request: PositionRequest) -> BoxFuture<'_, Result<Positions, UpstreamError>> {
        self.ask(request).boxed()
    }

    fn candidates(&self, request: CandidateRequest) -> BoxFuture<'_, Result<Vec<(TokenId, f64)>, UpstreamError>> {
        self.ask_again(request).boxed()
    }
}

async fn refusal(response: Response) -> UpstreamError {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap_or_default();
    let parsed = serde_json::from_str::<CompletionEvent>(&text).ok();
    let message = match parsed.and_then(|body| body.refusal()) {
        Some((_, message)) => message,
        None => text.chars().take(300).collect(),
    };
    UpstreamError::Refused {
        status,
        message: format!("{message} (status {status})"),
    }
}
