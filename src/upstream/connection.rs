use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::answer::whole;
use super::error::innermost;
use super::hosts::Demand;
use super::refusal::{disguised, is_web_page, refused};
use super::unpack::unpacked;
use super::{Caller, Extra, Problem, Timeouts, UpstreamError, is_this_machine};

/// Where on a server.
#[derive(Clone, Copy)]
pub enum Endpoint<'a> {
    /// OpenAI's: below the base address where that ends in `/v1`, and there or in its `/v1` otherwise.
    Api(&'a str),
    /// Beside it: the server's own, older or richer API.
    Native(&'a str),
}

/// The `Authorization` header that brings this key; `None` where the key has characters that no header may have.
pub fn bearer(key: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {key}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// One server's address, and how to speak to it.
pub struct Connection {
    pub(super) client: Client,
    url: Arc<str>,
    pub(super) authorization: Option<HeaderValue>,
    affinity_header: Option<HeaderName>,
    pub(super) extra: Extra,
    timeouts: Timeouts,
    /// What stands between the address and the paths of OpenAI's API, once that is known.
    api: OnceLock<&'static str>,
}

impl Connection {
    /// `url` is the base, which may or may not end in `/v1`. `authorization` replaces what the requests bring. The header `affinity_header` names the
    /// session of each request.
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
        // No redirects, and no system proxy before this machine: requests go to the configured address and nowhere else.
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
            extra: Extra::default(),
            timeouts,
            api: OnceLock::new(),
        })
    }

    /// The same, with what the configuration adds to every request.
    #[must_use]
    pub fn with(self, extra: Extra) -> Self {
        Self { extra, ..self }
    }

    /// The base address, as it was configured.
    pub fn url(&self) -> &Arc<str> {
        &self.url
    }

    /// Why nothing can be asked of a host with such a demand; `None` where it is met.
    pub fn unmet(&self, demand: Demand) -> Option<String> {
        demand.unmet(&self.url, &self.extra.body)
    }

    /// How long to wait.
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// When the first token of a request sent now is overdue.
    pub fn first_token_deadline(&self) -> Instant {
        Instant::now() + self.timeouts.first_token
    }

    /// Posts JSON. Resolves when an answer begins; a refusal is an error.
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
        let body = self.extra.added_to(Bytes::from(body));
        self.request(Method::POST, endpoint, body, caller, deadline).await
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
        self.json(response, &Method::POST, deadline).await
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
        Ok((headers, self.json(response, &Method::GET, deadline).await?))
    }

    /// This server's problem.
    pub fn problem(&self, problem: Problem) -> UpstreamError {
        problem.at(&self.url)
    }

    /// Whether a key is configured, which goes with all requests.
    pub fn has_key(&self) -> bool {
        self.authorization.is_some()
    }

    /// The answer did not come in time. What is asked of the server itself must come as quickly as a connection.
    fn overdue(&self, method: &Method) -> UpstreamError {
        let (waited, setting) = if method == Method::GET {
            (self.timeouts.connect, "upstream.connect_timeout_ms")
        } else {
            (self.timeouts.first_token, "upstream.first_token_timeout_ms")
        };
        self.problem(Problem::TimedOut { waited, setting })
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
            request = request.headers(self.extra.headers.clone());
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
        let mut sent = send().await.map_err(|_| self.overdue(&method))?;
        if sent.as_ref().is_err_and(|error| !error.is_connect()) {
            // The server had closed a pooled connection: idle for too long, or after its limit of requests. Nothing of
            // an answer has come, and asking for a continuation twice harms nobody.
            sent = send().await.map_err(|_| self.overdue(&method))?;
        }
        let response = sent.map_err(|error| self.unreachable(&error))?;
        let response = unpacked(response).await.map_err(|problem| self.problem(problem))?;
        if !response.status().is_success() {
            let refusal = timeout_at(deadline, refused(response)).await;
            return Err(refusal.map_or_else(|_| self.overdue(&method), |problem| self.problem(problem)));
        }
        if is_web_page(&response) {
            let what = "it is a web page; is upstream.url right?";
            return Err(self.problem(Problem::Malformed(what.into())));
        }
        Ok(response)
    }

    async fn json<A: DeserializeOwned>(
        &self,
        response: Response,
        method: &Method,
        deadline: Instant,
    ) -> Result<A, UpstreamError> {
        let body = whole(response.bytes_stream());
        let body = timeout_at(deadline, body).await.map_err(|_| self.overdue(method))?;
        let body = body.map_err(|problem| self.problem(problem))?;
        if let Some(refusal) = disguised(&body) {
            return Err(self.problem(refusal));
        }
        serde_json::from_slice(&body).map_err(|error| self.problem(Problem::Malformed(error.to_string())))
    }

    /// The problem of a request that did not get through.
    pub(super) fn unreachable(&self, error: &reqwest::Error) -> UpstreamError {
        let reason = innermost(error);
        self.problem(Problem::Unreachable { reason })
    }

    /// The whole address of an endpoint.
    pub(super) fn at(&self, endpoint: Endpoint<'_>) -> String {
        match endpoint {
            Endpoint::Api(path) => format!("{}{}{path}", self.url, self.api()),
            Endpoint::Native(path) => format!("{}{path}", self.url.strip_suffix("/v1").unwrap_or(&self.url)),
        }
    }

    fn api(&self) -> &'static str {
        self.api.get().copied().unwrap_or_else(|| self.likely_apis()[0])
    }

    /// What may stand between the address and the paths of OpenAI's API, the likelier first.
    pub(super) fn likely_apis(&self) -> [&'static str; 2] {
        let has_path = Url::parse(&self.url).is_ok_and(|url| url.path() != "/");
        if has_path { ["", "/v1"] } else { ["/v1", ""] }
    }

    /// Whether it is not known yet which of them is right.
    pub(super) fn is_unsettled(&self) -> bool {
        self.api.get().is_none() && !self.url.ends_with("/v1")
    }

    /// One of them has turned out to be right.
    pub(super) fn settle(&self, api: &'static str) {
        self.api.get_or_init(|| api);
    }
}
