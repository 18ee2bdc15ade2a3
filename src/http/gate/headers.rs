//! Which headers pass, in either direction. What is not on a list stays here.

use axum::http::header::{
    ACCEPT, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret;

use crate::context::is_almost_tagged;
use crate::http::headers::REQUEST_ID;
use crate::http::{ApiError, App};

/// To the upstream, beside `OpenAI-*` and `Anthropic-*`, what `upstream.pass_headers` names, and a content type that is written here.
const TO_UPSTREAM: [HeaderName; 6] = [
    ACCEPT,
    AUTHORIZATION,
    REQUEST_ID,
    TRACE_PARENT,
    TRACE_STATE,
    HeaderName::from_static("idempotency-key"),
];

/// Back to the client, beside `OpenAI-*`, `Anthropic-*` and rate limits. The encoding belongs to the body. The request's id is ours, whatever the upstream
/// calls it.
const TO_CLIENT: [HeaderName; 5] = [
    ALLOW,
    CONTENT_TYPE,
    CONTENT_ENCODING,
    RETRY_AFTER,
    HeaderName::from_static("retry-after-ms"),
];

/// Beginnings of further names. Rate limits come as OpenAI and its likes write them, and as the IETF's draft "RateLimit header fields for HTTP" does.
const VENDORS: [&str; 2] = ["openai-", "anthropic-"];
const LIMITS: [&str; 2] = ["x-ratelimit-", "ratelimit"];

/// Every client of Anthropic's sends it.
const ANTHROPIC: HeaderName = HeaderName::from_static("anthropic-version");
/// Where such a client brings its key.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// W3C Trace Context.
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACE_STATE: HeaderName = HeaderName::from_static("tracestate");

/// A page of the upstream's must not act as a page of ours.
const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'");

/// What the upstream may see of a request's headers.
///
/// # Errors
/// 400 where one that may pass holds a tag.
pub fn to_upstream(app: &App, headers: &HeaderMap) -> Result<HeaderMap, ApiError> {
    let passes = |name: &HeaderName| TO_UPSTREAM.contains(name) || is_vendors(name) || app.pass_headers.contains(name);
    let mut kept = HeaderMap::new();
    let of_this_hop = of_this_hop(headers);
    for (name, value) in headers
        .iter()
        .filter(|(name, _)| passes(name) && !of_this_hop.contains(name))
    {
        if app.private_tags && is_almost_tagged(&String::from_utf8_lossy(value.as_bytes())) {
            return Err(ApiError::invalid(
                name.as_str(),
                "it holds a tag such as <private>, which marks parts of messages; nothing was sent on",
            ));
        }
        kept.append(name.clone(), value.clone());
    }
    // One of them, and never one that opens this proxy.
    kept.remove(AUTHORIZATION);
    if let Some(own) = authorization(app, headers).filter(|_| !of_this_hop.contains(&AUTHORIZATION)) {
        kept.insert(AUTHORIZATION, own);
    }
    Ok(kept)
}

fn is_vendors(name: &HeaderName) -> bool {
    VENDORS.iter().any(|vendor| name.as_str().starts_with(vendor))
}

/// Headers that belong to this connection alone, because it says so (RFC 9110, section 7.6.1).
fn of_this_hop(headers: &HeaderMap) -> Vec<HeaderName> {
    let named = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok());
    named
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect()
}

/// The client's own key, passed on where none is configured; never one that opens this proxy. A client of Anthropic's brings it in a header
/// of its own, and servers of models take it here.
pub fn authorization(app: &App, headers: &HeaderMap) -> Option<HeaderValue> {
    let brought = headers.get(AUTHORIZATION).cloned();
    let own = brought.or_else(|| anthropic_key(headers))?;
    let opens_us = |token: &str| {
        let (value, token) = (own.as_bytes(), token.as_bytes());
        value.windows(token.len()).any(|part| part == token)
    };
    let is_ours = match (&app.access.api_key, &app.access.token) {
        (Some(_), _) => true,
        (None, Some(token)) => opens_us(token.expose_secret()),
        (None, None) => false,
    };
    (!is_ours).then_some(own)
}

fn anthropic_key(headers: &HeaderMap) -> Option<HeaderValue> {
    let key = headers.get(API_KEY).filter(|_| headers.contains_key(ANTHROPIC))?;
    let mut bearer = HeaderValue::from_bytes(&[b"Bearer ", key.as_bytes()].concat()).ok()?;
    bearer.set_sensitive(true);
    Some(bearer)
}

/// What names a request at the upstream: its id, and the trace it is part of.
pub fn trace(headers: &HeaderMap) -> HeaderMap {
    let named = [REQUEST_ID, TRACE_PARENT, TRACE_STATE].into_iter().filter_map(|name| {
        let value = headers.get(&name)?.clone();
        Some((name, value))
    });
    named.collect()
}

/// What the client may see of an answer's headers, and what keeps a browser from taking it for ours.
pub fn to_client(headers: &HeaderMap) -> HeaderMap {
    let passes = |name: &HeaderName| {
        let text = name.as_str();
        TO_CLIENT.contains(name) || is_vendors(name) || LIMITS.iter().any(|limit| text.starts_with(limit))
    };
    let of_this_hop = of_this_hop(headers);
    let mut kept: HeaderMap = headers
        .iter()
        .filter(|(name, _)| passes(name) && !of_this_hop.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    kept.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    kept.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    kept.insert(CONTENT_SECURITY_POLICY, SANDBOX);
    kept
}
