//! Reading bodies: called JSON, whole, strict, and then looked through before anything is done with them.

use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use futures::StreamExt;
use mime::Mime;
use zeroize::Zeroizing;

use super::json::{self, Fields};
use super::{marks, names};
use crate::context::PrivateContext;
use crate::http::{ApiError, PrivateInput, Proxy};

/// A body's bytes, wiped when dropped.
pub type Bytes = Zeroizing<Vec<u8>>;

/// Where marked text is taken from; elsewhere it is refused.
#[derive(Clone, Copy)]
pub enum Marks {
    /// What a prompt consists of: the request can be steered.
    OfPrompts,
    /// Every text: the request is refused or passed on without it.
    Everywhere,
}

/// A request's body, parted.
pub struct Inspected {
    /// What may be sent on.
    pub public: Fields,
    /// What headers and the field `costeer` say.
    pub private: PrivateInput,
    /// Whether there was a field `costeer`.
    pub has_field: bool,
    /// What was marked in its texts.
    pub marked: Vec<PrivateContext>,
}

/// Bodies longer than this are looked through on a thread that may take its time.
const LONG: usize = 32 << 10;

/// Reads the whole body, however it is called.
///
/// # Errors
/// 413 when it is longer than `server.max_body_bytes`, 400 when it breaks off or cannot be unpacked.
pub async fn whole(proxy: &Proxy, body: Body) -> Result<Bytes, ApiError> {
    let most = proxy.max_body_bytes;
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut whole = Zeroizing::new(Vec::with_capacity(expected.min(most)));
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let part =
            part.map_err(|_| ApiError::not_json("the request body did not arrive whole, or cannot be unpacked"))?;
        let length = whole.len() + part.len();
        if length > most {
            return Err(ApiError::body_too_large(most));
        }
        if length > whole.capacity() {
            // Not left to the vector: it would leave its old memory as it is.
            let mut larger = Zeroizing::new(Vec::with_capacity(length.max(2 * whole.capacity()).min(most)));
            larger.extend_from_slice(&whole);
            whole = larger;
        }
        whole.extend_from_slice(&part);
    }
    Ok(whole)
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

/// Parts a JSON body into what may be sent on and what may not.
///
/// # Errors
/// 415 and 400 that say what is wrong with it.
pub async fn inspect(proxy: &Arc<Proxy>, headers: &HeaderMap, body: Bytes, from: Marks) -> Result<Inspected, ApiError> {
    check_json(headers)?;
    let tags = proxy.private_tags;
    if body.len() < LONG {
        return parted(headers, &body, tags, from);
    }
    let headers = headers.clone();
    proxy.apart(move || parted(&headers, &body, tags, from)).await
}

fn parted(headers: &HeaderMap, body: &[u8], tags: bool, from: Marks) -> Result<Inspected, ApiError> {
    let mut public = json::object(body)?;
    names::check_keys(&public, tags)?;
    let before = public.len();
    let private = PrivateInput::take(headers, &mut public)?;
    let has_field = public.len() < before;
    marks::check_packed(&public)?;
    let marked = match (tags, from) {
        (false, _) => Vec::new(),
        (true, Marks::OfPrompts) => marks::take(&mut public)?,
        (true, Marks::Everywhere) => marks::take_everywhere(&mut public)?,
    };
    Ok(Inspected {
        public,
        private,
        has_field,
        marked,
    })
}
