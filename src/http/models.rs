//! `/v1/models`: what the upstream serves, and the names under which profiles can be asked for.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::forward::pass_through;
use super::gate::{Visitor, content_type};
use super::model_name::{PLAIN, list, names_in, with_suffix};
use super::{ApiError, App};

/// Longer lists pass as they are, in bytes.
const MOST: usize = 16 << 20;

/// The upstream's answer. To who may use profiles, a list also names each model with each profile and with `@plain` behind it.
///
/// # Errors
/// As for [`pass_through`].
pub async fn models(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Result<Response, ApiError> {
    let is_question = request.method() == Method::GET;
    let suffixes = if is_question {
        suffixes(&app, &visitor).await
    } else {
        Vec::new()
    };
    let response = pass_through(State(app), Extension(visitor), request).await?;
    if suffixes.is_empty() || response.status() != StatusCode::OK {
        return Ok(response);
    }
    Ok(extended(response, &suffixes).await)
}

/// What may stand behind a model's name: profiles, and `plain` where there is something that it declines.
async fn suffixes(app: &App, visitor: &Visitor) -> Vec<String> {
    let has_store = app.service.store().exists();
    let is_steered = has_store || app.service.defaults().exist();
    if !app.model_suffix || !is_steered || visitor.may_use_what_is_stored().await.is_err() {
        return Vec::new();
    }
    let mut names: Vec<String> = Vec::new();
    if has_store {
        match app.service.store().with(|store| store.profiles()).await {
            Ok(profiles) => names.extend(profiles.iter().map(|profile| profile.name.as_str().to_owned())),
            Err(error) => tracing::warn!(%error, "the list of models is without profiles"),
        }
    }
    let plain = PLAIN.trim_start_matches('@');
    names.retain(|name| name != plain);
    if !names.is_empty() || app.service.defaults().exist() {
        names.push(plain.to_owned());
    }
    names
}

async fn extended(response: Response, suffixes: &[String]) -> Response {
    let is_json = content_type(response.headers()).is_some_and(|kind| kind.essence_str() == "application/json");
    if !is_json || response.headers().contains_key(CONTENT_ENCODING) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, MOST).await else {
        return ApiError::no_list().into_response();
    };
    let with_more = serde_json::from_slice(&body)
        .ok()
        .and_then(|answer| with_names(answer, suffixes));
    match with_more {
        Some(answer) => {
            parts.headers.remove(CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(answer.to_string()))
        }
        None => Response::from_parts(parts, Body::from(body)),
    }
}

/// More of them are not listed with profiles.
const MOST_NAMES: usize = 20_000;

/// The list with more names, each behind the model's own; `None` where it is no list of models, or too long a one. No name stands twice.
fn with_names(mut answer: Value, suffixes: &[String]) -> Option<Value> {
    let own: HashSet<&str> = names_in(&answer).collect();
    if own.len().saturating_mul(suffixes.len() + 1) > MOST_NAMES {
        return None;
    }
    let mut all = Vec::with_capacity(own.len() * (suffixes.len() + 1));
    for model in list(&answer) {
        all.push(model.clone());
        let Some(name) = model.get("id").and_then(Value::as_str) else {
            continue;
        };
        let names = suffixes.iter().map(|suffix| with_suffix(name, suffix));
        for name in names.filter(|name| !own.contains(name.as_str())) {
            let mut model = model.clone();
            model["id"] = name.into();
            all.push(model);
        }
    }
    *answer.get_mut("data")? = all.into();
    Some(answer)
}
