//! Passing a request through to the upstream, unsteered: inspected, written anew, and with what is on the lists alone.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::time::timeout;

use super::gate::{
    Fields, Json, Upload, Visitor, content_type, is_upload, steers, to_client, to_upstream, upload, whole, written,
};
use super::headers::{REASON, STEERED};
use super::inspect::{Inspected, Marks, inspect};
use super::model_name::{ASKED_PLAIN, Wanted, check_address, of_address, of_form, renamed, take};
use super::{ApiError, App};
use crate::context::FIELD;
use crate::upstream::{Forwarded, MOST_ERROR_BYTES};

const ONLY_THESE: &str = "only chat completions, completions, responses and messages can be steered";

/// Any other `/v1/*` request. It cannot be steered, so one that carries
/// something private is refused or loses it, as `steering.on_unsteerable` says. A request without a body only loses its
/// private headers: clients may set them for everything they send.
///
/// # Errors
/// 400 as said or for a body that cannot be looked through, 413 when it is too large, 415 when it is called something else than JSON,
/// 502 when the upstream cannot be reached or leads elsewhere, 504 when it does not answer.
pub async fn pass_through(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let (method, uri, headers) = (parts.method, parts.uri, parts.headers);
    if below_v1(&uri).starts_with("/v1/") {
        return Err(ApiError::no_route(
            StatusCode::NOT_FOUND,
            "there is no such path here: /v1 stands in it twice; the API is under /v1, once",
        ));
    }
    let form = content_type(&headers).filter(|kind| kind.essence_str() == "multipart/form-data");
    let boundary = form.as_ref().and_then(|form| form.get_param("boundary"));
    if let Some(boundary) = boundary.filter(|_| is_upload(uri.path().trim_start_matches("/v1"))) {
        let reason = not_steered(&app, steers(&headers).then_some("X-CoSteer-*"))?;
        let model = of_form(Arc::clone(&app), visitor, headers.clone());
        let form = upload(body, boundary.as_str(), app.private_tags, app.max_body_bytes, model);
        return send_form(&app, method, &uri, &headers, form, reason).await;
    }
    let body = whole(&app, body).await?;
    let addressed = of_address(&app, &visitor, &headers, &method, &uri).await?;
    let (uri, addressed) = match addressed {
        Some((uri, named)) => (uri, Some(named)),
        None => (uri, None),
    };
    if body.is_empty() {
        let answer = send(&app, method, &uri, &headers, None, None).await?;
        return Ok(match addressed {
            Some(named) => renamed(answer, "id", &named.written),
            None => answer,
        });
    }
    let Inspected {
        mut public,
        has_field,
        marked,
        ..
    } = inspect(&app, &headers, body, Marks::Everywhere).await?;
    let private = has_field.then_some(FIELD);
    let private = private.or((!marked.is_empty()).then_some("<private>"));
    let private = private.or(steers(&headers).then_some("X-CoSteer-*"));
    let named = take(&app, &visitor, &headers, &mut public).await?;
    let reason = match named.as_ref().map(|named| &named.wanted) {
        Some(Wanted::Plain) => Some(ASKED_PLAIN),
        Some(Wanted::Profile(_)) => not_steered(&app, Some("model"))?,
        None => not_steered(&app, private)?,
    };
    let answer = send(&app, method, &uri, &headers, Some(&public), reason).await?;
    Ok(match named {
        Some(named) => renamed(answer, "model", &named.written),
        None => answer,
    })
}

fn not_steered(app: &App, private: Option<&str>) -> Result<Option<HeaderValue>, ApiError> {
    match private {
        Some(name) => app.unsteerable(name, ONLY_THESE).map(Some),
        // What is configured applies to everything that it can.
        None if app.service.defaults().exist() => Ok(Some(HeaderValue::from_static(ONLY_THESE))),
        None => Ok(None),
    }
}

/// Sends a request whose body has been looked through. `reason` says why it is not steered, where it asked to be.
///
/// # Errors
/// 400 where address or headers hold what must not be sent on, 502 and 504 as for [`pass_through`].
pub async fn send(
    app: &App,
    method: Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Option<&Fields>,
    reason: Option<HeaderValue>,
) -> Result<Response, ApiError> {
    check_address(app, headers, uri).await?;
    let mut headers = to_upstream(app, headers)?;
    if body.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let streams = body.is_some_and(|fields| {
        let mut wanted = fields.iter().filter(|(key, _)| key == "stream");
        wanted.any(|(_, value)| matches!(value, Json::Bool(true)))
    });
    let request = Forwarded {
        // What is made at the server's leisure comes in one piece, at its end.
        comes_whole: method == Method::POST && !streams,
        method,
        path: below_v1(uri).to_owned(),
        headers,
        body: body.map(|fields| written(fields).into()).unwrap_or_default(),
    };
    answer(app, app.service.replicas().forward(request).await?, reason)
}

async fn send_form(
    app: &App,
    method: Method,
    uri: &Uri,
    headers: &HeaderMap,
    form: Upload,
    reason: Option<HeaderValue>,
) -> Result<Response, ApiError> {
    check_address(app, headers, uri).await?;
    let mut headers = to_upstream(app, headers)?;
    headers.insert(CONTENT_TYPE, form.content_type);
    let Upload { body, mut refusal, .. } = form;
    let sent = app
        .service
        .replicas()
        .forward_once(method, below_v1(uri), headers, body)
        .await;
    // Its own error would only say that the body broke off.
    if let Ok(refused) = refusal.try_recv() {
        return Err(refused);
    }
    answer(app, sent?, reason)
}

/// The configured addresses end in /v1, as our paths begin with it.
fn below_v1(uri: &Uri) -> &str {
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    path.strip_prefix("/v1").unwrap_or(path)
}

/// The upstream's answer, with the headers that may pass. It ends where it stops coming, and errors end after 64 KiB.
///
/// # Errors
/// 502 where it leads elsewhere.
fn answer(app: &App, answer: reqwest::Response, reason: Option<HeaderValue>) -> Result<Response, ApiError> {
    let status = answer.status();
    if status.is_redirection() || status.is_informational() {
        return Err(ApiError::leads_elsewhere(status));
    }
    let mut kept = to_client(answer.headers());
    kept.insert(STEERED, HeaderValue::from_static("false"));
    if let Some(reason) = reason {
        kept.insert(REASON, reason);
    }
    let most = if status.is_success() {
        usize::MAX
    } else {
        MOST_ERROR_BYTES
    };
    let parts = answer.bytes_stream().map_err(std::io::Error::other).boxed();
    let idle = app.idle_timeout;
    let parts = stream::unfold(Some((parts, most)), move |state| async move {
        let (mut parts, left) = state?;
        match timeout(idle, parts.next()).await {
            Ok(Some(Ok(mut part))) => {
                part.truncate(left);
                let left = left - part.len();
                Some((Ok(part), (left > 0).then_some((parts, left))))
            }
            Ok(Some(Err(error))) => Some((Err(error), None)),
            Ok(None) => None,
            Err(_) => Some((Err(fell_silent(idle)), None)),
        }
    });
    let mut response = Response::new(Body::from_stream(parts));
    *response.status_mut() = status;
    *response.headers_mut() = kept;
    Ok(response)
}

fn fell_silent(idle: Duration) -> std::io::Error {
    tracing::warn!(
        ?idle,
        "the upstream fell silent in an answer that passes through (upstream.idle_timeout_ms)"
    );
    std::io::Error::new(std::io::ErrorKind::TimedOut, "the upstream fell silent")
}
