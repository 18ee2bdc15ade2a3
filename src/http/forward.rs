//! Passing a request through to the upstream, unsteered.

use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::response::Response;
use serde_json::Value;

use super::observe::REQUEST_ID;
use super::private::{FIELD, PRIVATE_PREFIX};
use super::{ApiError, PrivateInput, Proxy, tagged};
use crate::context::is_tagged;

/// Says on every answer whether it was steered.
pub const STEERED: HeaderName = HeaderName::from_static("x-costeer-steered");
/// Says why a request that had a private context was not steered.
pub const REASON: HeaderName = HeaderName::from_static("x-costeer-reason");

/// Headers that belong to one connection (RFC 9110, section 7.6.1), and those that reqwest writes itself.
const NOT_FORWARDED: [HeaderName; 9] = [
    CONNECTION,
    CONTENT_LENGTH,
    HOST,
    TRANSFER_ENCODING,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-authenticate"),
    HeaderName::from_static("proxy-authorization"),
    HeaderName::from_static("te"),
    HeaderName::from_static("upgrade"),
];

/// Any other `/v1/*` request. Nothing but chat completions and completions can be steered, so one that carries
/// something private is refused or loses it, as `steering.on_unsteerable` says. A request without a body only loses its
/// private headers: clients may set them for everything they send.
///
/// # Errors
/// 400 as said, 413 when a body that must be looked into is too large, 502 when the upstream cannot be reached.
pub async fn pass_through(State(proxy): State<Arc<Proxy>>, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let opaque = is_opaque(&parts.headers);
    if body.is_end_stream() || opaque {
        let private = opaque && has_private_headers(&parts.headers);
        let reason = not_steered(&proxy, private.then_some("X-CoSteer-*"))?;
        let body = reqwest::Body::wrap_stream(body.into_data_stream());
        let headers = public_headers(&proxy, &parts.headers);
        let sending = proxy.replicas.forward_once(parts.method, below_v1(path), headers, body);
        return Ok(answer(sending.await?, reason));
    }
    let body = axum::body::to_bytes(body, proxy.max_body_bytes)
        .await
        .map_err(|_| ApiError::body_too_large(proxy.max_body_bytes))?;
    let (body, private) = without_private(&proxy, &parts.headers, body)?;
    let reason = not_steered(&proxy, private)?;
    send(&proxy, &parts.method, path, &parts.headers, &body, reason).await
}

/// A request to a route that can be steered, whose body has been read already. `reason` says why it is not steered, where it
/// asked to be. `path` is the one below `/v1`.
///
/// # Errors
/// 502 when the upstream cannot be reached.
pub async fn forward_body(
    proxy: &Proxy,
    path: &str,
    headers: &HeaderMap,
    body: Bytes,
    reason: Option<HeaderValue>,
) -> Result<Response, ApiError> {
    send(proxy, &Method::POST, path, headers, &body, reason).await
}

/// Files and forms: no place for a field of ours, and often too large to hold.
fn is_opaque(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| {
        let kind = kind.to_ascii_lowercase();
        ["multipart/", "audio/", "image/", "application/octet-stream"]
            .iter()
            .any(|prefix| kind.starts_with(prefix))
    })
}

fn has_private_headers(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with(PRIVATE_PREFIX))
}

/// The body without our field and without what is marked as private, and the private part that it or the headers had. Bodies that
/// are no JSON objects have no fields, whatever their type is said to be (curl says "form" unless told otherwise).
fn without_private(proxy: &Proxy, headers: &HeaderMap, body: Bytes) -> Result<(Bytes, Option<&'static str>), ApiError> {
    let by_header = has_private_headers(headers).then_some("X-CoSteer-*");
    let Ok(mut value) = serde_json::from_slice::<Value>(&body) else {
        // Broken JSON may hold something private all the same.
        let text = String::from_utf8_lossy(&body);
        if text.to_ascii_lowercase().contains(FIELD) || (proxy.private_tags && is_tagged(&text)) {
            return Err(ApiError::not_json("the request body is not JSON"));
        }
        return Ok((body, by_header));
    };
    let mut by_field = None;
    if let Value::Object(fields) = &mut value {
        by_field = fields.contains_key(FIELD).then_some(FIELD);
        PrivateInput::take(headers, fields)?;
    }
    let mut marked = Vec::new();
    if proxy.private_tags {
        tagged::take_all(&mut value, "<private>", &mut marked)?;
    }
    let by_mark = (!marked.is_empty()).then_some("<private>");
    let body = match by_field.or(by_mark) {
        Some(_) => value.to_string().into(),
        None => body,
    };
    Ok((body, by_field.or(by_mark).or(by_header)))
}

fn not_steered(proxy: &Proxy, private: Option<&str>) -> Result<Option<HeaderValue>, ApiError> {
    let reason = "only chat completions and completions can be steered";
    private.map(|name| proxy.unsteerable(name, reason)).transpose()
}

async fn send(
    proxy: &Proxy,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: &Bytes,
    reason: Option<HeaderValue>,
) -> Result<Response, ApiError> {
    let headers = public_headers(proxy, headers);
    let sending = proxy.replicas.forward(method, below_v1(path), &headers, body);
    Ok(answer(sending.await?, reason))
}

/// The configured addresses end in /v1, as our paths begin with it.
fn below_v1(path: &str) -> &str {
    path.strip_prefix("/v1").unwrap_or(path)
}

/// The upstream's answer as it is.
fn answer(answer: reqwest::Response, reason: Option<HeaderValue>) -> Response {
    let mut kept = forwardable(answer.headers());
    kept.insert(STEERED, HeaderValue::from_static("false"));
    if let Some(reason) = reason {
        kept.insert(REASON, reason);
    }
    let status = answer.status();
    let mut response = Response::new(Body::from_stream(answer.bytes_stream()));
    *response.status_mut() = status;
    *response.headers_mut() = kept;
    response
}

/// Headers the upstream may see: neither private nor of this connection, nor the key that opens this proxy.
fn public_headers(proxy: &Proxy, headers: &HeaderMap) -> HeaderMap {
    let mut kept = forwardable(headers);
    if proxy.api_key.is_some() {
        kept.remove(AUTHORIZATION);
    }
    let private: Vec<HeaderName> = kept
        .keys()
        .filter(|name| name.as_str().starts_with(PRIVATE_PREFIX))
        .cloned()
        .collect();
    for name in private {
        kept.remove(name);
    }
    kept
}

fn forwardable(headers: &HeaderMap) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, _)| !NOT_FORWARDED.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The client's own key, passed on where none is configured; never the one that opens this proxy.
pub fn authorization(proxy: &Proxy, headers: &HeaderMap) -> Option<HeaderValue> {
    let own = headers.get(AUTHORIZATION).cloned();
    own.filter(|_| proxy.api_key.is_none())
}

/// What names the request at the upstream: its id, and the trace it is part of (W3C Trace Context).
pub fn trace(headers: &HeaderMap) -> HeaderMap {
    let names = [
        REQUEST_ID,
        HeaderName::from_static("traceparent"),
        HeaderName::from_static("tracestate"),
    ];
    let named = names.into_iter().filter_map(|name| {
        let value = headers.get(&name)?.clone();
        Some((name, value))
    });
    named.collect()
}
