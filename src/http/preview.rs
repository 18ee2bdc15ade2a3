//! What the small model would read for a request, for its owner's eyes.

use std::sync::Arc;

use axum::Json;
use axum::http::HeaderValue;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{ApiError, App};
use crate::service::{Asked, apart};

/// The private text of the first answer, as it would be composed for it.
///
/// # Errors
/// 400 when what cannot be left out is too long.
pub async fn composed(app: &App, asked: Vec<Asked>, max_tokens: Option<usize>) -> Result<Response, ApiError> {
    let Some(Asked { prompt, sources }) = asked.into_iter().next() else {
        return Err(ApiError::invalid("messages", "there are none"));
    };
    let prompts = Arc::clone(app.service.prompts());
    let composed = apart(move || {
        let composed = prompts.compose(&prompt, &sources, max_tokens)?;
        prompts.room(composed.public.len(), composed.private.ids().len())?;
        Ok::<_, crate::service::ServiceError>(composed)
    });
    let composed = composed.await?;
    let mut answer = json!({"object": "preview", "steered": true});
    if let (Value::Object(answer), Value::Object(fields)) = (&mut answer, json!(composed.composition.preview())) {
        answer.extend(fields);
    }
    Ok(Json(answer).into_response())
}

/// That the request would be passed on unsteered, and why.
pub fn not_steered(reason: Option<&HeaderValue>) -> Response {
    let reason = reason.map_or(
        "the request brings no private context, and names no profile".into(),
        |reason| String::from_utf8_lossy(reason.as_bytes()),
    );
    Json(json!({"object": "preview", "steered": false, "reason": reason})).into_response()
}
