use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::{ApiError, Proxy};

/// Lets nobody pass who does not bring `server.api_key`, where there is one.
///
/// # Errors
/// 401 in OpenAI's words.
pub async fn guard(State(proxy): State<Arc<Proxy>>, request: Request, next: Next) -> Result<Response, ApiError> {
    match &proxy.api_key {
        Some(key) if !brings(request.headers(), key) => Err(ApiError::unauthorized()),
        _ => Ok(next.run(request).await),
    }
}

/// Compared in constant time, so that the time of an answer says nothing about the key.
fn brings(headers: &HeaderMap, key: &SecretString) -> bool {
    let brought = headers.get(AUTHORIZATION).map(|value| value.as_bytes());
    let brought = brought.and_then(|value| value.split_at_checked(7));
    brought.is_some_and(|(scheme, brought)| {
        scheme.eq_ignore_ascii_case(b"bearer ") && bool::from(brought.ct_eq(key.expose_secret().as_bytes()))
    })
}
