//! The two routes that can be steered.

use std::sync::{Arc, Mutex};

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::response::Response;
use serde_json::{Map, Value};

use super::answer::{Shape, collected, streamed};
use super::forward::send;
use super::gate::{Fields, Inspected, Marks, Visitor, authorization, inspect, to_map, trace, whole};
use super::personal::{self, Personal};
use super::request::{CompletionRequest, RequestError};
use super::{ApiError, ChatRequest, Options, Proxy, SteeredRequest};
use crate::context::PublicPrompt;

/// `POST /v1/chat/completions`: steered when there is a private context, forwarded when there is none.
///
/// # Errors
/// An [`ApiError`] before the first token; a stream that fails later carries it as an event.
pub async fn chat_completions(
    State(proxy): State<Arc<Proxy>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Result<Response, ApiError> {
    answer(Shape::Chat, proxy, visitor, request).await
}

/// `POST /v1/completions`: the same for a text.
///
/// # Errors
/// As for [`chat_completions`].
pub async fn completions(
    State(proxy): State<Arc<Proxy>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Result<Response, ApiError> {
    answer(Shape::Completion, proxy, visitor, request).await
}

async fn answer(shape: Shape, proxy: Arc<Proxy>, visitor: Visitor, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let (uri, headers) = (parts.uri, parts.headers);
    let body = whole(&proxy, body).await?;
    let Inspected {
        mut public,
        private,
        marked,
        ..
    } = inspect(&proxy, &headers, body, Marks::OfPrompts).await?;
    let user = personal::user(&proxy, &visitor, &mut public).await?;
    let (strength, traced) = (private.strength, private.trace);
    let personal = Personal::new(&proxy, private, marked, user);
    if personal.is_empty() {
        return unsteered(&proxy, &uri, &headers, &public, None).await;
    }
    if personal.uses_what_is_stored() {
        visitor.may_use_what_is_stored().await?;
    }
    let (prompts, mut options) = match prompts(shape, &to_map(&public)) {
        Ok(asked) => asked,
        Err(RequestError::Invalid(error)) => return Err(error),
        Err(RequestError::Unsteerable { field, reason }) => {
            let reason = proxy.unsteerable(&field, reason)?;
            return unsteered(&proxy, &uri, &headers, &public, Some(reason)).await;
        }
    };
    options.traced = traced;
    check_answers(&proxy, prompts.len(), options.choices)?;
    let mut asked = Vec::with_capacity(prompts.len());
    for prompt in prompts {
        let sources = personal.sources(&proxy, &prompt).await?;
        asked.push(Arc::new((prompt, sources)));
    }
    // Nothing changes nothing, so the answer may as well come without the small model.
    if asked.iter().all(|asked| asked.1.is_blank()) {
        let reason = HeaderValue::from_static("there is nothing private to steer by");
        return unsteered(&proxy, &uri, &headers, &public, Some(reason)).await;
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

async fn unsteered(
    proxy: &Proxy,
    uri: &Uri,
    headers: &HeaderMap,
    public: &Fields,
    reason: Option<HeaderValue>,
) -> Result<Response, ApiError> {
    send(proxy, Method::POST, uri, headers, Some(public), reason).await
}

/// Answers are computed one after the other, and nobody else gets the small model's lane meanwhile.
fn check_answers(proxy: &Proxy, prompts: usize, choices: usize) -> Result<(), ApiError> {
    let (most, wanted) = (proxy.max_answers, prompts.saturating_mul(choices));
    if wanted <= most {
        return Ok(());
    }
    Err(ApiError::invalid(
        "n",
        format!(
            "the request wants {wanted} answers (prompts times n), and one request gets {most} (steering.max_answers)"
        ),
    ))
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
