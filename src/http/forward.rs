//! Passing a request through to the upstream, unsteered.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use secrecy::ExposeSecret;
use std::sync::Arc;

use super::private::PRIVATE_PREFIX;
use super::{ApiError, Proxy};
use crate::upstream::innermost;

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

/// Any `/v1/*` request that is not a chat completion, body streamed both ways.
///
/// # Errors
/// 502 when the upstream cannot be reached.
pub async fn pass_through(
    State(proxy): State<Arc<Proxy>>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let body = reqwest::Body::wrap_stream(body.into_data_stream());
    send(&proxy, parts.method, path, &parts.headers, body).await
}

/// A chat completion whose body has been read already.
///
/// # Errors
/// 502 when the upstream cannot be reached.
pub async fn forward_chat(
    proxy: &Proxy,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    send(
        proxy,
        Method::POST,
        "/v1/chat/completions",
        headers,
        body.into(),
    )
    .await
}

async fn send(
    proxy: &Proxy,
    method: Method,
    path: &str,
    headers: &HeaderMap,
    body: reqwest::Body,
) -> Result<Response, ApiError> {
    // The configured address ends in /v1, as the path begins with it.
    let url = format!(
        "{}{}",
        proxy.upstream_url,
        path.strip_prefix("/v1").unwrap_or(path)
    );
    let mut request = proxy
        .client
        .request(method, url)
        .headers(public_headers(headers))
        .body(body);
    if let Some(key) = &proxy.api_key {
        request = request.bearer_auth(key.expose_secret());
    }
    let answer = request.send().await.map_err(|error| {
        ApiError::upstream(
            StatusCode::BAD_GATEWAY,
            format!(
                "the upstream at {} cannot be reached ({}); is it running, and is upstream.url right?",
                proxy.upstream_url,
                innermost(&error)
            ),
        )
    })?;
    let status = answer.status();
    let mut kept = forwardable(answer.headers());
    kept.insert(STEERED, HeaderValue::from_static("false"));
    let mut response = Response::new(Body::from_stream(answer.bytes_stream()));
    *response.status_mut() = status;
    *response.headers_mut() = kept;
    Ok(response)
}

/// Headers the upstream may see: neither private nor of this connection.
fn public_headers(headers: &HeaderMap) -> HeaderMap {
    let mut kept = forwardable(headers);
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

/// The client's own key, passed on where none is configured.
pub fn authorization(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?;
    value.to_str().ok().map(str::to_owned)
}
