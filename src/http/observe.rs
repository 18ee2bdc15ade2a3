//! What every request leaves behind: an id, a line of log, and counts.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use metrics::{counter, describe_counter, describe_histogram, histogram};
use tracing::Instrument;
use uuid::Uuid;

use super::headers::REQUEST_ID;

/// Longer ids, and those with other characters than these, are replaced: they end up in logs.
const MOST_ID_BYTES: usize = 128;

fn is_fit(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    let fit = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    !bytes.is_empty() && bytes.len() <= MOST_ID_BYTES && bytes.iter().all(fit)
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

/// Gives the request an id, unless it has one that is fit, and counts the answer.
pub async fn observe(mut request: Request, next: Next) -> Response {
    let id = request.headers().get(&REQUEST_ID).filter(|id| is_fit(id)).cloned();
    let id = id.unwrap_or_else(|| {
        let fresh = Uuid::new_v4().simple().to_string();
        HeaderValue::from_str(&fresh).unwrap_or(HeaderValue::from_static("none"))
    });
    request.headers_mut().insert(REQUEST_ID, id.clone());
    // The pattern, not the path: paths are the client's to invent, and each would be a series of its own.
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("unknown", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!(
        "request",
        id = id.to_str().unwrap_or_default(),
        method = %request.method(),
        route = %route
    );
    #[cfg(feature = "otel")]
    crate::telemetry::join(&span, request.headers_mut());
    let begun = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let (status, spent) = (response.status(), begun.elapsed());
    span.in_scope(|| tracing::debug!(status = status.as_u16(), ?spent, "answered"));
    counter!("costeer_requests_total", "route" => route.clone(), "status" => status.as_u16().to_string()).increment(1);
    histogram!("costeer_request_seconds", "route" => route).record(spent.as_secs_f64());
    response.headers_mut().insert(REQUEST_ID, id);
    response
}
