//! Passing a client's request on as it is.

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Body, Method, Response, Url};
use tokio::time::{Instant, timeout_at};

use super::connection::{Connection, Endpoint};
use super::error::innermost;
use super::{Problem, UpstreamError};

/// A request that is passed on.
pub struct Forwarded {
    /// Its method.
    pub method: Method,
    /// Path and query below the base address.
    pub path: String,
    /// These and no others are sent, except for the key and what the connection needs.
    pub headers: HeaderMap,
    /// Empty where there is none.
    pub body: Bytes,
    /// Whether the answer may begin only when all of it is done.
    pub comes_whole: bool,
}

impl Connection {
    /// Passes a request on; an answer with an error status is an answer. The configured key takes the place of the client's own.
    ///
    /// # Errors
    /// [`Problem::Unreachable`] where it cannot have arrived, or may be sent again all the same; [`Problem::Unanswered`] where it may
    /// have; [`Problem::TimedOut`].
    pub async fn forward(&self, request: &Forwarded) -> Result<Response, UpstreamError> {
        let Forwarded {
            method, path, headers, ..
        } = request;
        let body = Body::from(self.extra.added_to(request.body.clone()));
        let sent = self.pass_on(method.clone(), path, headers.clone(), body, request.comes_whole);
        let sent = sent.await;
        match sent {
            // Sending an idempotent request again does no harm (RFC 9110, section 9.2.2).
            Err(UpstreamError {
                problem: Problem::Unanswered { reason },
                ..
            }) if method.is_idempotent() => Err(self.problem(Problem::Unreachable { reason })),
            sent => sent,
        }
    }

    /// The same for a body that can be read only once.
    ///
    /// # Errors
    /// As for [`Self::forward`].
    pub async fn pass_on(
        &self,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: Body,
        comes_whole: bool,
    ) -> Result<Response, UpstreamError> {
        if let Some(key) = &self.authorization {
            // Not with bearer_auth, which adds a second header beside the client's own.
            headers.insert(AUTHORIZATION, key.clone());
        }
        headers.extend(self.extra.headers.clone());
        let url = self.below(path)?;
        let (waited, setting) = if comes_whole {
            (self.timeouts().whole, "upstream.answer_timeout_ms")
        } else {
            (self.timeouts().first_token, "upstream.first_token_timeout_ms")
        };
        let sending = self.client.request(method, url).headers(headers).body(body).send();
        let sent = timeout_at(Instant::now() + waited, sending).await;
        let sent = sent.map_err(|_| self.problem(Problem::TimedOut { waited, setting }))?;
        sent.map_err(|error| {
            if error.is_connect() {
                self.unreachable(&error)
            } else {
                let reason = innermost(&error);
                self.problem(Problem::Unanswered { reason })
            }
        })
    }

    /// The address of a path that a client has named. As the HTTP client reads it, it must be below the base address.
    fn below(&self, path: &str) -> Result<Url, UpstreamError> {
        let url = Url::parse(&self.at(Endpoint::Api(path))).ok();
        let base = Url::parse(&self.at(Endpoint::Api(""))).ok();
        let fine = url.zip(base).filter(|(url, base)| {
            let rest = url.path().strip_prefix(base.path().trim_end_matches('/'));
            url.origin() == base.origin() && rest.is_some_and(|rest| rest.starts_with('/'))
        });
        let reason = "the path of the request leads out of it".to_owned();
        fine.map(|(url, _)| url)
            .ok_or_else(|| self.problem(Problem::Unusable { reason }))
    }
}
