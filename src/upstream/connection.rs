use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Body, Client, Method, Response, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::error::innermost;
use super::refusal::{is_web_page, refused};
use super::{Caller, Problem, UpstreamError};
use crate::vocabulary::TokenId;

/// How long to wait for an upstream.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// From sending a request to its first token.
    pub first_token: Duration,
    /// Between two tokens.
    pub idle: Duration,
    /// From sending a request to the first byte of an answer that comes in one piece, when all of it is done.
    pub whole: Duration,
}

/// A request that is passed on.
pub struct Forwarded {
    /// Its method.
    pub method: Method,
    /// Path and query below the base address.
    pub path: String,
    /// Exactly these are sent, beside the key and what the connection needs.
    pub headers: HeaderMap,
    /// Empty where there is none.
    pub body: Bytes,
    /// Whether the answer may begin only when all of it is done.
    pub comes_whole: bool,
}

/// Where on a server.
#[derive(Clone, Copy)]
pub enum Endpoint<'a> {
    /// Below the base address, which ends in `/v1`.
    Api(&'a str),
    /// Beside it: the server's own, older or richer API.
    Native(&'a str),
}

/// Longest answer, line of a stream or body, that is held in memory: the whole vocabulary of the largest models takes
/// about a third of it.
pub const LONGEST: usize = 64 << 20;

/// The `Authorization` header that brings this key; `None` where the key has characters that no header may have.
pub fn bearer(key: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {key}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Whether a host is this machine by its very name: no name server gives these to anybody else (RFC 6761, section 6.3). IPv6 addresses
/// may stand in brackets.
pub fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<IpAddr>();
    address.is_ok_and(|address| address.to_canonical().is_loopback())
        || host == "localhost"
        || host.ends_with(".localhost")
}

/// One server's address, and how to speak to it.
pub struct Connection {
    client: Client,
    url: Arc<str>,
    authorization: Option<HeaderValue>,
    affinity_header: Option<HeaderName>,
    timeouts: Timeouts,
}

impl Connection {
    /// `url` is the base that ends in `/v1`; `authorization` takes the place of what requests bring; each request says in
    /// `affinity_header` to which session it belongs.
    ///
    /// # Errors
    /// What the HTTP client says when it cannot be set up.
    pub fn new(
        url: &str,
        authorization: Option<HeaderValue>,
        affinity_header: Option<HeaderName>,
        timeouts: Timeouts,
    ) -> Result<Self, reqwest::Error> {
        let url = url.trim_end_matches('/');
        // A client that goes where it is told and nowhere else: no redirects, and no system proxy on the way to this
        // machine.
        let mut client = Client::builder()
            .connect_timeout(timeouts.connect)
            .redirect(Policy::none())
            .tcp_nodelay(true);
        let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
        if host.is_some_and(|host| is_this_machine(&host)) {
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build()?,
            url: url.into(),
            authorization,
            affinity_header,
            timeouts,
        })
    }

    /// The base address, ending in `/v1`.
    pub fn url(&self) -> &Arc<str> {
        &self.url
    }

    /// How long to wait.
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// When the first token of a request sent now is overdue.
    pub fn first_token_deadline(&self) -> Instant {
        Instant::now() + self.timeouts.first_token
    }

    /// Posts JSON; resolves when an answer begins that is no refusal.
    ///
    /// # Errors
    /// [`Problem::Unreachable`], [`Problem::TimedOut`], [`Problem::Refused`], and [`Problem::Malformed`] for a web page.
    pub async fn post<B: Serialize>(
        &self,
        endpoint: Endpoint<'_>,
        body: &B,
        caller: &Caller,
        deadline: Instant,
    ) -> Result<Response, UpstreamError> {
        let body = serde_json::to_vec(body).map_err(|error| self.problem(Problem::Malformed(error.to_string())))?;
        self.request(Method::POST, endpoint, Bytes::from(body), caller, deadline)
            .await
    }

    /// Posts JSON for an answer in one JSON body.
    ///
    /// # Errors
    /// As for [`Self::post`]; [`Problem::Cut`] and [`Problem::Malformed`] for a body that is none.
    pub async fn ask<B: Serialize, A: DeserializeOwned>(
        &self,
        endpoint: Endpoint<'_>,
        body: &B,
        caller: &Caller,
    ) -> Result<A, UpstreamError> {
        let deadline = self.first_token_deadline();
        let response = self.post(endpoint, body, caller, deadline).await?;
        self.json(response, deadline).await
    }

    /// The ids that the server's `/tokenize` makes of `body` (llama.cpp; vLLM and SGLang with the model's name in it).
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub async fn tokenize<B: Serialize>(&self, body: &B, caller: &Caller) -> Result<Vec<TokenId>, UpstreamError> {
        #[derive(Deserialize)]
        struct Tokenized {
            tokens: Vec<TokenId>,
        }
        let answer: Tokenized = self.ask(Endpoint::Native("/tokenize"), body, caller).await?;
        Ok(answer.tokens)
    }

    /// The ids of a bare text, in vLLM's dialect of `/tokenize` (SGLang's, too); `None` from servers that have no such route.
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub async fn tokenize_text(&self, text: &str, caller: &Caller) -> Result<Option<Vec<TokenId>>, UpstreamError> {
        let body = json!({"prompt": text, "add_special_tokens": false});
        self.tokenize_by_model(body, caller).await
    }

    /// [`Self::tokenize`] for the model that `caller` asks for; `None` from servers that have no such route.
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub async fn tokenize_by_model(
        &self,
        mut body: Value,
        caller: &Caller,
    ) -> Result<Option<Vec<TokenId>>, UpstreamError> {
        if let Some(model) = &caller.model {
            body["model"] = model.as_str().into();
        }
        match self.tokenize(&body, caller).await {
            Ok(ids) => Ok(Some(ids)),
            Err(error) if error.problem.is_no_such_route() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gets a JSON body, and the headers it came with.
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub async fn get(&self, endpoint: Endpoint<'_>, caller: &Caller) -> Result<(HeaderMap, Value), UpstreamError> {
        let deadline = Instant::now() + self.timeouts.connect;
        let response = self
            .request(Method::GET, endpoint, Bytes::new(), caller, deadline)
            .await?;
        let headers = response.headers().clone();
        Ok((headers, self.json(response, deadline).await?))
    }

    /// Passes a request on; an answer with an error status is an answer. The configured key takes the place of the client's own.
    ///
    /// # Errors
    /// [`Problem::Unreachable`] where it cannot have arrived, or may be sent again all the same; [`Problem::Unanswered`] where it may
    /// have; [`Problem::TimedOut`].
    pub async fn forward(&self, request: &Forwarded) -> Result<Response, UpstreamError> {
        let Forwarded {
            method, path, headers, ..
        } = request;
        let body = Body::from(request.body.clone());
        let sent = self.pass_on(method.clone(), path, headers.clone(), body, request.comes_whole);
        let sent = sent.await;
        match sent {
            // Nothing happens twice by asking twice (RFC 9110, section 9.2.2).
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
            // Not bearer_auth: it would stand beside the client's own key instead of in its place.
            headers.insert(AUTHORIZATION, key.clone());
        }
        let url = self.below(path)?;
        let (waited, setting) = if comes_whole {
            (self.timeouts.whole, "upstream.answer_timeout_ms")
        } else {
            (self.timeouts.first_token, "upstream.first_token_timeout_ms")
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

    /// The address of a path that a client has named; it must be below ours also as the HTTP client reads it.
    fn below(&self, path: &str) -> Result<Url, UpstreamError> {
        let url = Url::parse(&self.at(Endpoint::Api(path))).ok();
        let base = Url::parse(&self.url).ok();
        let fine = url.zip(base).filter(|(url, base)| {
            let rest = url.path().strip_prefix(base.path());
            url.origin() == base.origin() && rest.is_some_and(|rest| rest.starts_with('/'))
        });
        let reason = "the path of the request leads out of it".to_owned();
        fine.map(|(url, _)| url)
            .ok_or_else(|| self.problem(Problem::Unusable { reason }))
    }

    /// This server's problem.
    pub fn problem(&self, problem: Problem) -> UpstreamError {
        problem.at(&self.url)
    }

    /// The first token did not come in time.
    pub fn overdue(&self) -> UpstreamError {
        self.problem(Problem::TimedOut {
            waited: self.timeouts.first_token,
            setting: "upstream.first_token_timeout_ms",
        })
    }

    async fn request(
        &self,
        method: Method,
        endpoint: Endpoint<'_>,
        body: Bytes,
        caller: &Caller,
        deadline: Instant,
    ) -> Result<Response, UpstreamError> {
        let url = self.at(endpoint);
        let send = || {
            let mut request = self.client.request(method.clone(), &url).headers(caller.trace.clone());
            if !body.is_empty() {
                request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
            }
            if let Some(value) = self.authorization.as_ref().or(caller.authorization.as_ref()) {
                request = request.header(AUTHORIZATION, value);
            }
            if let Some(name) = &self.affinity_header {
                request = request.header(name, caller.affinity.to_string());
            }
            timeout_at(deadline, request.send())
        };
        let mut sent = send().await.map_err(|_| self.overdue())?;
        if sent.as_ref().is_err_and(|error| !error.is_connect()) {
            // The server had closed a pooled connection: idle for too long, or after its limit of requests. Nothing of
            // an answer has come, and asking for a continuation twice harms nobody.
            sent = send().await.map_err(|_| self.overdue())?;
        }
        let response = sent.map_err(|error| self.unreachable(&error))?;
        if !response.status().is_success() {
            let refusal = timeout_at(deadline, refused(response)).await;
            return Err(refusal.map_or_else(|_| self.overdue(), |problem| self.problem(problem)));
        }
        if is_web_page(&response) {
            let what = "it is a web page; is upstream.url right?";
            return Err(self.problem(Problem::Malformed(what.into())));
        }
        Ok(response)
    }

    async fn json<A: DeserializeOwned>(&self, response: Response, deadline: Instant) -> Result<A, UpstreamError> {
        let body = whole(response.bytes_stream());
        let body = timeout_at(deadline, body).await.map_err(|_| self.overdue())?;
        let body = body.map_err(|problem| self.problem(problem))?;
        serde_json::from_slice(&body).map_err(|error| self.problem(Problem::Malformed(error.to_string())))
    }

    fn unreachable(&self, error: &reqwest::Error) -> UpstreamError {
        let reason = innermost(error);
        self.problem(Problem::Unreachable { reason })
    }

    fn at(&self, endpoint: Endpoint<'_>) -> String {
        match endpoint {
            Endpoint::Api(path) => format!("{}{path}", self.url),
            Endpoint::Native(path) => format!("{}{path}", self.url.strip_suffix("/v1").unwrap_or(&self.url)),
        }
    }
}

async fn whole(stream: impl Stream<Item = reqwest::Result<Bytes>>) -> Result<Bytes, Problem> {
    let mut stream = std::pin::pin!(stream);
    let mut body = BytesMut::new();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| {
            tracing::debug!(%error, "the upstream's answer broke");
            Problem::Cut
        })?;
        if body.len() + part.len() > LONGEST {
            return Err(Problem::Malformed(format!("it is longer than {LONGEST} bytes")));
        }
        body.extend_from_slice(&part);
    }
    Ok(body.freeze())
}
