//! The routes that can be steered.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::response::Response;

use super::answer::answer;
use super::api::Api;
use super::forward::send;
use super::gate::{Fields, Visitor, authorization, to_map, trace, whole};
use super::inspect::{Inspected, Marks, inspect};
use super::model_name::{ASKED_PLAIN, Wanted, renamed, take};
use super::preview::{composed, not_steered};
use super::request::RequestError;
use super::user::user;
use super::{ApiError, App};
use crate::service::{Asked, Personal, PublicRequest, SteeredRequest};
use crate::upstream::Caller;

/// `POST /v1/chat/completions`: steered when there is a private context, forwarded when there is none.
///
/// # Errors
/// An [`ApiError`] before the first token; a stream that fails later carries it as an event.
pub async fn chat_completions(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Result<Response, ApiError> {
    steer(Api::Chat, app, visitor, request).await
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
    steer(Api::Completion, app, visitor, request).await
}

/// `POST /v1/responses`: the same in OpenAI's newer form. Nothing is kept from one response to the next.
///
/// # Errors
/// As for [`chat_completions`].
pub async fn responses(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Result<Response, ApiError> {
    steer(Api::Responses, app, visitor, request).await
}

/// `POST /v1/messages`: the same in Anthropic's form.
///
/// # Errors
/// As for [`chat_completions`].
pub async fn messages(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Result<Response, ApiError> {
    steer(Api::Messages, app, visitor, request).await
}

/// `POST /costeer/v1/preview`: for a body of a chat completion, what the small model would read. It goes the same way as the chat
/// itself, and ends before anything is asked of the models.
///
/// # Errors
/// As for [`chat_completions`].
pub async fn preview(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Result<Response, ApiError> {
    steer_or_show(Api::Chat, Wish::Preview, app, visitor, request).await
}

/// What becomes of a request that was read.
#[derive(Clone, Copy, PartialEq)]
enum Wish {
    Answer,
    /// The private text that an answer would be steered by; nothing is sent on.
    Preview,
}

async fn steer(api: Api, app: Arc<App>, visitor: Visitor, request: Request) -> Result<Response, ApiError> {
    steer_or_show(api, Wish::Answer, app, visitor, request).await
}

async fn steer_or_show(
    api: Api,
    wish: Wish,
    app: Arc<App>,
    visitor: Visitor,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let (uri, headers) = (parts.uri, parts.headers);
    let body = whole(&app, body).await?;
    let Inspected {
        mut public,
        mut private,
        marked,
        ..
    } = inspect(&app, &headers, body, Marks::OfPrompts).await?;
    let mut passing = Passing::new(&app, &uri, &headers, wish);
    let named = take(&app, &visitor, &headers, &mut public).await?;
    let user = user(&app, &visitor, &mut public).await?;
    if let Some(named) = named {
        passing.written = Some(named.written);
        match named.wanted {
            // It belongs to this request alone, and headers often to all that a client sends.
            Wanted::Profile(profile) => private.profile = Some(profile),
            Wanted::Plain => return passing.unsteered(&public, Some(ASKED_PLAIN)).await,
        }
    }
    let (strength, traced) = (private.strength, private.trace);
    let personal = Personal::new(app.service.defaults(), private, marked, user);
    if personal.is_empty() {
        // Where something is configured, it does not apply because the request declines it.
        let declined = HeaderValue::from_static("the request asks for an answer without a private context");
        let reason = app.service.defaults().exist().then_some(declined);
        return passing.unsteered(&public, reason).await;
    }
    if personal.uses_what_is_stored() {
        visitor.may_use_what_is_stored().await?;
    }
    let mut asked_for = to_map(&public);
    let PublicRequest { prompts, mut options } = match api.read(&asked_for) {
        Ok(asked) => asked,
        Err(RequestError::Invalid(error)) => return Err(error),
        Err(RequestError::Unsteerable { field, reason }) => {
            let reason = app.unsteerable(&field, reason)?;
            return passing.unsteered(&public, Some(reason)).await;
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
        return passing.unsteered(&public, Some(reason)).await;
    }
    let caller = Caller {
        model: options.model.clone(),
        authorization: authorization(&app, &headers),
        trace: trace(&headers),
        ..Caller::default()
    };
    let is_forced = options
        .structure
        .as_ref()
        .is_some_and(|structure| structure.call.is_some());
    for asked in &mut asked {
        let mut refused = app.service.refused_tools(&asked.prompt, &caller).await?;
        if refused.is_some() && is_forced {
            // Such a call needs no way of the model's own to write calls, but what was called before may.
            asked.prompt.forget_tools();
            refused = app.service.refused_tools(&asked.prompt, &caller).await?;
        }
        if let Some((field, reason)) = refused {
            let reason = app.unsteerable(&field, reason)?;
            return passing.unsteered(&public, Some(reason)).await;
        }
    }
    if wish == Wish::Preview {
        return composed(&app, asked, options.max_tokens).await;
    }
    if let Some(written) = passing.written {
        asked_for.insert("model".to_owned(), written.as_str().into());
        options.model = Some(written);
    }
    let request = SteeredRequest::new(Arc::clone(&app.service), asked, options, strength, caller);
    answer(api.form(&asked_for), request).await
}

/// How a request goes on to the upstream where it is not steered.
struct Passing<'a> {
    app: &'a App,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    /// The model's name as the client wrote it, where the upstream sees another.
    written: Option<String>,
    wish: Wish,
}

impl<'a> Passing<'a> {
    fn new(app: &'a App, uri: &'a Uri, headers: &'a HeaderMap, wish: Wish) -> Self {
        Self {
            app,
            uri,
            headers,
            written: None,
            wish,
        }
    }

    async fn unsteered(self, public: &Fields, reason: Option<HeaderValue>) -> Result<Response, ApiError> {
        if self.wish == Wish::Preview {
            return Ok(not_steered(reason.as_ref()));
        }
        let answer = send(self.app, Method::POST, self.uri, self.headers, Some(public), reason).await?;
        Ok(match &self.written {
            Some(written) => renamed(answer, "model", written),
            None => answer,
        })
    }
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
