use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;

use crate::decode::Report;
use crate::http::headers::STEERED;

/// The counts of an answer that comes in one body; a stream has them in its last part.
const REPORT: HeaderName = HeaderName::from_static("x-costeer-report");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Marks a response as steered.
pub fn steered(mut response: Response) -> Response {
    response.headers_mut().insert(STEERED, HeaderValue::from_static("true"));
    response
}

/// What the answer cost, for those who see headers before bodies: the counts, and the time in the form of the Server-Timing
/// specification (W3C), in milliseconds.
pub fn cost(headers: &mut HeaderMap, report: &Report) {
    let counts = format!(
        "positions={} reasoning={} calls={} changed={} passed={} forced={} certified={} refetched={} uncertified={} upstream_requests={} \
         refetch_requests={} wasted_tokens={}",
        report.positions,
        report.reasoning,
        report.calls,
        report.changed,
        report.passed,
        report.forced,
        report.certified,
        report.refetched,
        report.uncertified,
        report.upstream_requests,
        report.refetch_requests,
        report.wasted_tokens
    );
    let parts = report.time.parts();
    let parts = parts.map(|(part, spent)| format!("{part};dur={:.3}", 1e3 * spent.as_secs_f64()));
    for (name, value) in [(REPORT, counts), (SERVER_TIMING, parts.join(", "))] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}
