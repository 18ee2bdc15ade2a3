use std::collections::VecDeque;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, stream};
use reqwest::header::AUTHORIZATION;
use reqwest::{Client, Response};
use secrecy::{ExposeSecret, SecretString};
use sse_stream::{Sse, SseByteStream};

use super::wire::{CompletionEvent, CompletionRequest};
use super::{Position, PositionRequest, Positions, Upstream, UpstreamError, innermost};

/// How long to wait for the upstream.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From sending a request to its first token.
    pub first_token: Duration,
    /// Between two tokens.
    pub idle: Duration,
}

/// A vLLM server (0.5 or newer), spoken to in token ids on `/v1/completions`.
pub struct Vllm {
    client: Client,
    url: String,
    api_key: Option<SecretString>,
    timeouts: Timeouts,
}

impl Vllm {
    /// `url` is the base that ends in `/v1`.
    pub fn new(
        client: Client,
        url: &str,
        api_key: Option<SecretString>,
        timeouts: Timeouts,
    ) -> Self {
        Self {
            client,
            url: format!("{}/completions", url.trim_end_matches('/')),
            api_key,
            timeouts,
        }
    }

    async fn ask(&self, request: PositionRequest) -> Result<Positions, UpstreamError> {
        let body = CompletionRequest::new(
            request.model.as_deref(),
            &request.prefix,
            request.window,
            request.top_k,
        );
        let mut http = self.client.post(&self.url).json(&body);
        http = match (&self.api_key, request.authorization) {
            (Some(key), _) => http.bearer_auth(key.expose_secret()),
            (None, Some(own)) => http.header(AUTHORIZATION, own),
            (None, None) => http,
        };
        let waited = self.timeouts.first_token;
        let response = tokio::time::timeout(waited, http.send())
            .await
            .map_err(|_| self.timed_out(waited, "upstream.first_token_timeout_ms"))?
            .map_err(|error| UpstreamError::Unreachable {
                url: self.url.clone(),
                reason: innermost(&error),
            })?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        Ok(self.read(response))
    }

    fn read(&self, response: Response) -> Positions {
        let reader = Reader {
            events: SseByteStream::new(response.bytes_stream()).boxed(),
            ready: VecDeque::new(),
            finished: false,
            url: self.url.clone(),
            wait: self.timeouts.first_token,
            wait_setting: "upstream.first_token_timeout_ms",
            idle: self.timeouts.idle,
        };
        stream::unfold(reader, |mut reader| async move {
            let next = reader.next().await?;
            // After an error nothing that follows can be trusted.
            reader.finished |= next.is_err();
            Some((next, reader))
        })
        .boxed()
    }

    fn timed_out(&self, waited: Duration, setting: &'static str) -> UpstreamError {
        UpstreamError::TimedOut {
            url: self.url.clone(),
            waited,
            setting,
        }
    }
}

impl Upstream for Vllm {
    fn positions(
        &self,
        request: PositionRequest,
    ) -> BoxFuture<'_, Result<Positions, UpstreamError>> {
        self.ask(request).boxed()
    }
}

/// Reads events into positions, one after the other.
struct Reader {
    events: BoxStream<'static, Result<Sse, sse_stream::Error>>,
    /// Positions of the last event that have not been handed out; under load one event can hold several.
    ready: VecDeque<Position>,
    /// The answer is complete; what follows (usage, `[DONE]`) is of no interest.
    finished: bool,
    url: String,
    wait: Duration,
    wait_setting: &'static str,
    idle: Duration,
}

impl Reader {
    async fn next(&mut self) -> Option<Result<Position, UpstreamError>> {
        loop {
            if let Some(position) = self.ready.pop_front() {
                return Some(Ok(position));
            }
            if self.finished {
                return None;
            }
            let event = match tokio::time::timeout(self.wait, self.events.next()).await {
                Ok(Some(Ok(event))) => event,
                Ok(Some(Err(error))) => {
                    tracing::debug!(%error, "the upstream's stream broke");
                    return Some(Err(UpstreamError::Cut));
                }
                Ok(None) => return Some(Err(UpstreamError::Cut)),
                Err(_) => {
                    return Some(Err(UpstreamError::TimedOut {
                        url: self.url.clone(),
                        waited: self.wait,
                        setting: self.wait_setting,
                    }));
                }
            };
            self.wait = self.idle;
            self.wait_setting = "upstream.idle_timeout_ms";
            match event.data.as_deref() {
                None => {}
                // Servers say [DONE] after a refusal inside the stream as well, but never without a finish before it.
                Some("[DONE]") => return Some(Err(UpstreamError::Cut)),
                Some(data) => {
                    if let Err(error) = self.take(data) {
                        return Some(Err(error));
                    }
                }
            }
        }
    }

    fn take(&mut self, data: &str) -> Result<(), UpstreamError> {
        let event: CompletionEvent = serde_json::from_str(data)
            .map_err(|error| UpstreamError::Malformed(error.to_string()))?;
        if let Some((status, message)) = event.refusal() {
            let status = status.unwrap_or(502);
            return Err(UpstreamError::Refused { status, message });
        }
        let Some(choice) = event.choices.into_iter().next() else {
            return Ok(());
        };
        self.finished = choice.finish_reason.is_some();
        self.ready.extend(choice.positions()?);
        Ok(())
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
