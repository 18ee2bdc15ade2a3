use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value};

use super::answer::{Answer, collected, streamed};
use super::forward::{authorization, forward_chat};
use super::private::FIELD;
use super::request::RequestError;
use super::{ApiError, ChatRequest, PrivateInput, Proxy};

/// `POST /v1/chat/completions`: steered when there is a private context, forwarded when there is none.
///
/// # Errors
/// An [`ApiError`] before the first token; a stream that fails later carries it as an event.
pub async fn chat_completions(
    State(proxy): State<Arc<Proxy>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let original = body.map_err(|rejection| unreadable(&rejection, proxy.max_body_bytes))?;
    let mut body = object(&original)?;
    let carries_private_field = body.contains_key(FIELD);
    let private = PrivateInput::take(&headers, &mut body)?;
    let public = if carries_private_field {
        Bytes::from(Value::Object(body.clone()).to_string())
    } else {
        original
    };
    let Some(context) = private.context(proxy.default_context.as_ref()) else {
        return forward_chat(&proxy, &headers, public, None).await;
    };
    let request = match ChatRequest::parse(&body) {
        Ok(request) => request,
        Err(RequestError::Invalid(error)) => return Err(error),
        Err(RequestError::Unsteerable { field, reason }) => {
            let reason = proxy.unsteerable(&field, reason)?;
            return forward_chat(&proxy, &headers, public, Some(reason)).await;
        }
    };
    let session = proxy
        .open_session(&request, context, private.strength, authorization(&headers))
        .await?;
    let answer = Answer::new(&request);
    if request.stream {
        streamed(answer, session).await
    } else {
        collected(answer, session).await
    }
}

/// The body as a JSON object. It must be one even where it is only forwarded: in anything else a private field could
/// hide.
fn object(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(ApiError::not_json("the request body must be a JSON object")),
        Err(error) => Err(ApiError::not_json(format!(
            "the request body is not JSON (line {}, column {})",
            error.line(),
            error.column()
        ))),
    }
}

fn unreadable(rejection: &BytesRejection, limit: usize) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::body_too_large(limit)
    } else {
        ApiError::not_json("the request body did not arrive whole")
    }
}
