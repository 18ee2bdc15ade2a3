//! Reading bodies: whole, and called JSON.

use axum::body::{Body, HttpBody};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use futures::StreamExt;
use mime::Mime;
use zeroize::Zeroizing;

use crate::http::{ApiError, App};

/// A body's bytes, wiped when dropped.
pub type Bytes = Zeroizing<Vec<u8>>;

/// Reads the whole body, however it is called.
///
/// # Errors
/// 413 when it is longer than `server.max_body_bytes`, 400 when it breaks off or cannot be unpacked.
pub async fn whole(app: &App, body: Body) -> Result<Bytes, ApiError> {
    let most = app.max_body_bytes;
    let body = whole_within(most, body).await?;
    body.ok_or_else(|| ApiError::body_too_large(most))
}

/// The same for a body of at most `most` bytes; `None` where it is longer.
///
/// # Errors
/// 400 when it breaks off or cannot be unpacked.
pub async fn whole_within(most: usize, body: Body) -> Result<Option<Bytes>, ApiError> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut whole = Zeroizing::new(Vec::with_capacity(expected.min(most)));
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let part =
            part.map_err(|_| ApiError::not_json("the request body did not arrive whole, or cannot be unpacked"))?;
        let length = whole.len() + part.len();
        if length > most {
            return Ok(None);
        }
        if length > whole.capacity() {
            // Not left to the vector: it would leave its old memory as it is.
            let mut larger = Zeroizing::new(Vec::with_capacity(length.max(2 * whole.capacity()).min(most)));
            larger.extend_from_slice(&whole);
            whole = larger;
        }
        whole.extend_from_slice(&part);
    }
    Ok(Some(whole))
}

/// Refuses bodies that are not called JSON: browsers send others to foreign servers without asking (Fetch standard, "CORS-safelisted"),
/// and what a server makes of them nobody knows here.
///
/// # Errors
/// 415.
pub fn check_json(headers: &HeaderMap) -> Result<(), ApiError> {
    if content_type(headers).is_some_and(|kind| is_json(&kind)) {
        return Ok(());
    }
    Err(ApiError::unsupported_media(
        "the body of this request must be JSON and be called so, once: Content-Type: application/json (in UTF-8); curl needs \
         -H 'content-type: application/json'",
    ))
}

/// Refuses bodies that are not called bytes, for the same reason.
///
/// # Errors
/// 415.
pub fn check_bytes(headers: &HeaderMap) -> Result<(), ApiError> {
    if content_type(headers).is_some_and(|kind| kind.essence_str() == "application/octet-stream") {
        return Ok(());
    }
    Err(ApiError::unsupported_media(
        "the body of this request is a line of JSON and a file, and must be called so: Content-Type: application/octet-stream",
    ))
}

/// The type of the body, where there is exactly one.
pub fn content_type(headers: &HeaderMap) -> Option<Mime> {
    let mut kinds = headers.get_all(CONTENT_TYPE).iter();
    let kind = kinds.next()?.to_str().ok()?.parse().ok();
    kind.filter(|_| kinds.next().is_none())
}

fn is_json(kind: &Mime) -> bool {
    let json = kind.essence_str() == "application/json" || kind.suffix() == Some(mime::JSON);
    let charset = kind.get_param(mime::CHARSET);
    json && charset.is_none_or(|charset| charset == "utf-8" || charset.as_str().eq_ignore_ascii_case("utf8"))
}
