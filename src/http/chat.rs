//! The two routes that can be steered.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value};

use super::answer::{Shape, collected, streamed};
use super::forward::{authorization, forward_body, trace};
use super::private::FIELD;
use super::request::{CompletionRequest, RequestError};
use super::{ApiError, ChatRequest, Options, PrivateInput, Proxy, SteeredRequest};
use crate::context::PublicPrompt;

/// `POST /v1/chat/completions`: steered when there is a private context, forwarded when there is none.
///
/// # Errors
/// An [`ApiError`] before the first token; a stream that fails later carries it as an event.
pub async fn chat_completions(
    state: State<Arc<Proxy>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    answer(Shape::Chat, state, headers, body).await
}

/// `POST /v1/completions`: the same for a text.
///
/// # Errors
/// As for [`chat_completions`].
pub async fn completions(
    state: State<Arc<Proxy>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    answer(Shape::Completion, state, headers, body).await
}

async fn answer(
    shape: Shape,
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
    let path = match shape {
        Shape::Chat => "/chat/completions",
        Shape::Completion => "/completions",
    };
    let Some(context) = private.context(proxy.default_context.as_ref()) else {
        return forward_body(&proxy, path, &headers, public, None).await;
    };
    let (prompts, options) = match prompts(shape, &body) {
        Ok(asked) => asked,
        Err(RequestError::Invalid(error)) => return Err(error),
        Err(RequestError::Unsteerable { field, reason }) => {
            let reason = proxy.unsteerable(&field, reason)?;
            return forward_body(&proxy, path, &headers, public, Some(reason)).await;
        }
    };
    let request = SteeredRequest {
        authorization: authorization(&proxy, &headers),
        trace: trace(&headers),
        lane: Mutex::default(),
        context: context.clone(),
        proxy,
        prompts,
        options,
        strength: private.strength,
    };
    if request.options.stream {
        streamed(shape, request).await
    } else {
        collected(shape, request).await
    }
}

fn prompts(shape: Shape, body: &Map<String, Value>) -> Result<(Vec<PublicPrompt>, Options), RequestError> {
    match shape {
        Shape::Chat => {
            let request = ChatRequest::parse(body)?;
            Ok((vec![PublicPrompt::Chat(request.messages.into())], request.options))
        }
        Shape::Completion => {
            let request = CompletionRequest::parse(body)?;
            Ok((request.prompts, request.options))
        }
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
