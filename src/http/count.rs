use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::json;

use super::forward::send;
use super::gate::{Visitor, authorization, to_map, trace, whole};
use super::headers::STEERED;
use super::inspect::{Inspected, Marks, inspect};
use super::model_name::take;
use super::request::{RequestError, prompt_request};
use super::{ApiError, App};
use crate::service::{Defaults, Personal};
use crate::upstream::Caller;

/// `POST /v1/messages/count_tokens`: how many tokens of the upstream's the prompt has. What is private is not counted, because the upstream
/// never reads it. A prompt that cannot be read here is the upstream's to count.
///
/// # Errors
/// An [`ApiError`] when the request is wrong.
pub async fn count_tokens(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let body = whole(&app, body).await?;
    let Inspected {
        mut public,
        private,
        marked,
        ..
    } = inspect(&app, &parts.headers, body, Marks::OfPrompts).await?;
    // What stands behind the model's name changes no count, and is not for the upstream.
    take(&app, &visitor, &parts.headers, &mut public).await?;
    let mut asked = match prompt_request(&to_map(&public)) {
        Ok(asked) => asked,
        Err(RequestError::Invalid(error)) => return Err(error),
        Err(RequestError::Unsteerable { field, reason }) => {
            // What is configured would not be counted either.
            let personal = Personal::new(&Defaults::default(), private, marked, None);
            let reason = (!personal.is_empty()).then(|| app.unsteerable(&field, reason));
            let (uri, headers) = (&parts.uri, &parts.headers);
            return send(&app, Method::POST, uri, headers, Some(&public), reason.transpose()?).await;
        }
    };
    let caller = Caller {
        model: asked.options.model.take(),
        authorization: authorization(&app, &parts.headers),
        trace: trace(&parts.headers),
        ..Caller::default()
    };
    let ids = match asked.prompts.pop() {
        Some(prompt) => app.service.upstream_prompt(prompt, caller).await?,
        None => Vec::new(),
    };
    let mut response = Json(json!({"input_tokens": ids.len()})).into_response();
    let headers = response.headers_mut();
    headers.insert(STEERED, HeaderValue::from_static("false"));
    Ok(response)
}
