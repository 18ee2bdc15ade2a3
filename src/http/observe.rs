//! What every request leaves behind: an id, a line of log, and counts.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use metrics::{counter, describe_counter, describe_histogram, histogram};
use tower_http::request_id::{MakeRequestId, RequestId};
use tracing::Span;
use uuid::Uuid;

use super::headers::REQUEST_ID;

/// Longer ids, and those with other characters than these, are replaced: they end up in logs.
const MOST_ID_BYTES: usize = 128;

fn is_fit(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    let fit = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    !bytes.is_empty() && bytes.len() <= MOST_ID_BYTES && bytes.iter().all(fit)
}

/// Takes an id away that could not stand in a log, so that the request gets another one.
pub fn drop_unfit_id<B>(mut request: axum::http::Request<B>) -> axum::http::Request<B> {
    if request.headers().get(&REQUEST_ID).is_some_and(|id| !is_fit(id)) {
        request.headers_mut().remove(&REQUEST_ID);
    }
    request
}

/// Ids for requests that bring none.
#[derive(Clone, Copy)]
pub struct FreshId;

impl MakeRequestId for FreshId {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        let fresh = Uuid::new_v4().simple().to_string();
        HeaderValue::from_str(&fresh).ok().map(RequestId::new)
    }
}

/// The pattern, not the path: paths are the client's to invent, and each would be a series of its own.
fn route<B>(request: &axum::http::Request<B>) -> String {
    let matched = request.extensions().get::<MatchedPath>();
    matched.map_or("unknown", MatchedPath::as_str).to_owned()
}

/// What everything logged about a request stands in.
pub fn span<B>(request: &axum::http::Request<B>) -> Span {
    let id = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok());
    tracing::info_span!(
        "request",
        id = id.unwrap_or_default(),
        method = %request.method(),
        route = %route(request)
    )
}

/// The line of log.
pub fn answered<B>(response: &axum::http::Response<B>, spent: Duration, _: &Span) {
    tracing::debug!(status = response.status().as_u16(), ?spent, "answered");
}

/// Says what the metrics mean. To be called once, when there is somebody to tell.
pub fn describe() {
    describe_counter!("costeer_requests_total", "Requests answered, by route and status.");
    describe_histogram!(
        "costeer_request_seconds",
        metrics::Unit::Seconds,
        "From a request's head to its answer's head, by route."
    );
}

/// Counts the answer.
#[cfg_attr(not(feature = "otel"), expect(unused_mut, reason = "traces write into its headers"))]
pub async fn count(mut request: Request, next: Next) -> Response {
    #[cfg(feature = "otel")]
    crate::telemetry::join(&Span::current(), request.headers_mut());
    let (route, begun) = (route(&request), Instant::now());
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    counter!("costeer_requests_total", "route" => route.clone(), "status" => status).increment(1);
    histogram!("costeer_request_seconds", "route" => route).record(begun.elapsed().as_secs_f64());
    response
}
