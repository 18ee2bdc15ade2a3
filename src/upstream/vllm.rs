use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, Response};
use tokio::time::{Instant, timeout_at};

use super::reader::{Overdue, read};
use super::wire::{CompletionEvent, CompletionRequest};
use super::{PositionRequest, Positions, Upstream, UpstreamError, innermost};

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
        let body = CompletionRequest::new(request.model.as_deref(), &request.prefix, request.window, request.top_k);
        let mut http = self.client.post(&self.url).json(&body);
        if let Some(value) = self.authorization.clone().or(request.authorization) {
            http = http.header(AUTHORIZATION, value);
        }
        let deadline = Instant::now() + self.timeouts.first_token;
        let overdue = || Overdue::FirstToken.error(&self.url, self.timeouts);
        let response = timeout_at(deadline, http.send())
            .await
            .map_err(|_| overdue())?
            .map_err(|error| UpstreamError::Unreachable {
                url: self.url.clone(),
                reason: innermost(&error),
            })?;
        if response.status().is_success() {
            Ok(read(response, &self.url, request.top_k, deadline, self.timeouts))
        } else {
            let refusal = timeout_at(deadline, refusal(response)).await;
            Err(refusal.unwrap_or_else(|_| overdue()))
        }
    }
}

impl Upstream for Vllm {
    fn positions(&self, request: PositionRequest) -> BoxFuture<'_, Result<Positions, UpstreamError>> {
        self.ask(request).boxed()
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
