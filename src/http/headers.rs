//! Headers of our own, and one that everybody knows, which more than one part of the surface writes.

use axum::http::HeaderName;

/// In and out, and to the upstream: names a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Says on every answer whether it was steered.
pub const STEERED: HeaderName = HeaderName::from_static("x-costeer-steered");
/// Says why a request that had a private context was not steered.
pub const REASON: HeaderName = HeaderName::from_static("x-costeer-reason");
