//! The two routes that can be steered.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::response::Response;
use serde_json::{Map, Value};

use super::answer::answer;
use super::forward::send;
use super::gate::{Fields, Visitor, authorization, to_map, trace, whole};
use super::inspect::{Inspected, Marks, inspect};
use super::request::{RequestError, chat_request, completion_request};
use super::user::user;
use super::{ApiError, App};
use crate::service::{Asked, Personal, PublicRequest, SteeredRequest};
use crate::upstream::Caller;
use crate::wire::Shape;

/// `POST /v1/chat/completions`: steered when there is a private context, forwarded when there is none.
///
/// # Errors
/// An [`ApiError`] before the first token; a stream that fails later carries it as an event.
pub async fn chat_completions(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Result<Response, ApiError> {
    steer(Shape::Chat, app, visitor, request).await
}

/// `POST /v1/completions`: the same for a text.
///
/// # Errors
/// As for [`chat_completions`].
pub async fn completions(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Result<Response, ApiError> {
    steer(Shape::Completion, app, visitor, request).await
}

async fn steer(shape: Shape, app: Arc<App>, visitor: Visitor, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let (uri, headers) = (parts.uri, parts.headers);
    let body = whole(&app, body).await?;
    let Inspected {
        mut public,
        private,
        marked,
        ..
    } = inspect(&app, &headers, body, Marks::OfPrompts).await?;
    let user = user(&app, &visitor, &mut public).await?;
    let (strength, traced) = (private.strength, private.trace);
    let personal = Personal::new(app.service.defaults(), private, marked, user);
    if personal.is_empty() {
        return unsteered(&app, &uri, &headers, &public, None).await;
    }
    if personal.uses_what_is_stored() {
        visitor.may_use_what_is_stored().await?;
    }
    let PublicRequest { prompts, mut options } = match read(shape, &to_map(&public)) {
        Ok(asked) => asked,
        Err(RequestError::Invalid(error)) => return Err(error),
        Err(RequestError::Unsteerable { field, reason }) => {
            let reason = app.unsteerable(&field, reason)?;
            return unsteered(&app, &uri, &headers, &public, Some(reason)).await;
        }
    };
    options.traced = traced;
    check_answers(&app, prompts.len(), options.choices)?;
    let mut asked = Vec::with_capacity(prompts.len());
    for prompt in prompts {
        let sources = personal.sources(&app.service, &prompt).await?;
        asked.push(Asked { prompt, sources });
    }
    // Nothing changes nothing, so the answer may as well come without the small model.
    if asked.iter().all(|asked| asked.sources.is_blank()) {
        let reason = HeaderValue::from_static("there is nothing private to steer by");
        return unsteered(&app, &uri, &headers, &public, Some(reason)).await;
    }
    let caller = Caller {
        model: options.model.clone(),
        authorization: authorization(&app, &headers),
        trace: trace(&headers),
        ..Caller::default()
    };
    let request = SteeredRequest::new(Arc::clone(&app.service), asked, options, strength, caller);
    answer(shape, request).await
}

async fn unsteered(
    app: &App,
    uri: &Uri,
    headers: &HeaderMap,
    public: &Fields,
    reason: Option<HeaderValue>,
) -> Result<Response, ApiError> {
    send(app, Method::POST, uri, headers, Some(public), reason).await
}

/// Answers are computed one after the other, and nobody else gets the small model's slot meanwhile.
fn check_answers(app: &App, prompts: usize, choices: usize) -> Result<(), ApiError> {
    let (most, wanted) = (app.max_answers, prompts.saturating_mul(choices));
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

fn read(shape: Shape, body: &Map<String, Value>) -> Result<PublicRequest, RequestError> {
    match shape {
        Shape::Chat => chat_request(body),
        Shape::Completion => completion_request(body),
    }
}
