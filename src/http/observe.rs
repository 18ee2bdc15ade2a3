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

/// Keeps the first id, if it can stand in a log, and no other. Without one the request gets a fresh id.
pub fn keep_fit_id<B>(mut request: axum::http::Request<B>) -> axum::http::Request<B> {
    let headers = request.headers_mut();
    if let Some(id) = headers.remove(&REQUEST_ID).filter(is_fit) {
        headers.insert(REQUEST_ID, id);
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
fn route<B>(request: &axum::http::Request<B>) -> &str {
    let matched = request.extensions().get::<MatchedPath>();
    matched.map_or("unknown", MatchedPath::as_str)
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
    let (route, begun) = (route(&request).to_owned(), Instant::now());
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    counter!("costeer_requests_total", "route" => route.clone(), "status" => status).increment(1);
    histogram!("costeer_request_seconds", "route" => route).record(begun.elapsed().as_secs_f64());
    response
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn one_fit_id_is_kept_and_nothing_beside_it() {
        let kept = |ids: &[&str]| {
            let bare = Request::builder();
            let request = ids.iter().fold(bare, |request, id| request.header(REQUEST_ID, *id));
            let request = keep_fit_id(request.body(()).unwrap());
            let kept = request.headers().get_all(&REQUEST_ID).iter();
            kept.map(|id| id.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(kept(&["a-1"]), ["a-1"]);
        assert_eq!(kept(&["a-1", "{odd}"]), ["a-1"]);
        assert!(kept(&["{odd}", "a-1"]).is_empty());
        assert!(kept(&[&"a".repeat(MOST_ID_BYTES + 1)]).is_empty());
        assert!(kept(&[]).is_empty());
    }
}
