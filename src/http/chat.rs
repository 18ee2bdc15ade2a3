//! The two routes that can be steered.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value};

use super::answer::{Shape, collected, streamed};
use super::forward::{authorization, forward_body, trace};
use super::personal::{self, Personal};
use super::request::{CompletionRequest, RequestError};
use super::{ApiError, ChatRequest, Options, PrivateInput, Proxy, SteeredRequest, tagged};
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
    let fields = body.len();
    let private = PrivateInput::take(&headers, &mut body)?;
    let marked = if proxy.private_tags {
        tagged::take(&mut body)?
    } else {
        Vec::new()
    };
    let user = personal::user(&proxy, &mut body).await?;
    let public = if body.len() < fields || !marked.is_empty() {
        Bytes::from(Value::Object(body.clone()).to_string())
    } else {
        original
    };
    let path = match shape {
        Shape::Chat => "/chat/completions",
        Shape::Completion => "/completions",
    };
    let (strength, traced) = (private.strength, private.trace);
    let personal = Personal::new(&proxy, private, marked, user);
    if personal.is_empty() {
        return forward_body(&proxy, path, &headers, public, None).await;
    }
    let (prompts, mut options) = match prompts(shape, &body) {
        Ok(asked) => asked,
        Err(RequestError::Invalid(error)) => return Err(error),
        Err(RequestError::Unsteerable { field, reason }) => {
            let reason = proxy.unsteerable(&field, reason)?;
            return forward_body(&proxy, path, &headers, public, Some(reason)).await;
        }
    };
    options.traced = traced;
    let mut asked = Vec::with_capacity(prompts.len());
    for prompt in prompts {
        let sources = personal.sources(&proxy, &prompt).await?;
        asked.push((prompt, sources));
    }
    // Nothing changes nothing, so the answer may as well come without the small model.
    if asked.iter().all(|(_, sources)| sources.is_blank()) {
        let reason = HeaderValue::from_static("there is nothing private to steer by");
        return forward_body(&proxy, path, &headers, public, Some(reason)).await;
    }
    let request = SteeredRequest {
        authorization: authorization(&proxy, &headers),
        trace: trace(&headers),
        lane: Mutex::default(),
        proxy,
        asked,
        options,
        strength,
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

/// A body that did not come.
pub fn unreadable(rejection: &BytesRejection, limit: usize) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::body_too_large(limit)
    } else {
        ApiError::not_json("the request body did not arrive whole")
    }
}
