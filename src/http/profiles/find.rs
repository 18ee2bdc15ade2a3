use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::read;
use super::extract::{Address, Sent};
use super::{named, with_object};
use crate::context::{PrivateContext, Sources};
use crate::http::{ApiError, App};
use crate::service::apart;
use crate::store::PrivateText;

/// Hits of one answer, where the request says no number.
const HITS: usize = 5;
/// The most it may say.
const MOST: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    query: PrivateText,
    limit: Option<usize>,
}

/// `POST /costeer/v1/profiles/{name}/search`: the documents that fit a question best. The question is in the body, because
/// addresses end up in histories and logs.
///
/// # Errors
/// 400 when the limit is out of range.
pub async fn search(
    State(app): State<Arc<App>>,
    Address(name): Address<String>,
    Sent(body): Sent,
) -> Result<Json<Value>, ApiError> {
    let search: Search = read(&body, "{\"query\", \"limit\"?}")?;
    check_question("query", &search.query)?;
    let limit = search.limit.unwrap_or(HITS);
    if !(1..=MOST).contains(&limit) {
        return Err(ApiError::invalid("limit", format!("it must be from 1 to {MOST}")));
    }
    let name = named(&name)?;
    let searching = app.service.store().of(&name, move |store, name| {
        store.search(name, search.query.as_private_str(), limit)
    });
    let hits = searching.await?;
    let data: Vec<Value> = hits
        .iter()
        .map(|hit| json!({"object": "hit", "score": hit.score, "document": with_object("document", &hit.stored)}))
        .collect();
    Ok(Json(json!({"object": "list", "data": data})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Preview {
    question: PrivateText,
    context: Option<PrivateText>,
}

/// `POST /costeer/v1/profiles/{name}/preview`: the private text that a question would get by itself, and how long it is.
/// A longer chat, or a longer answer, leaves less room for it.
///
/// # Errors
/// 400 when what cannot be left out is over the budget.
pub async fn preview(
    State(app): State<Arc<App>>,
    Address(name): Address<String>,
    Sent(body): Sent,
) -> Result<Json<Value>, ApiError> {
    let asked: Preview = read(&body, "{\"question\", \"context\"?}")?;
    check_question("question", &asked.question)?;
    let given = asked
        .context
        .map(|context| PrivateContext::new(context.as_private_str().to_owned()));
    let previewed = Sources::previewed(asked.question.as_private_str(), given, app.private_tags);
    let (sources, prompt) = previewed.map_err(|error| ApiError::invalid("question", error.to_string()))?;
    let sources = app.service.recall(&named(&name)?, sources).await?;
    let prompts = Arc::clone(app.service.prompts());
    let composed = apart(move || prompts.compose(&prompt, &sources, None)).await?;
    Ok(Json(with_object("profile.preview", composed.composition.preview())))
}

/// A question is as long as one that somebody writes; a text of megabytes would be looked up word by word.
const MOST_QUESTION_BYTES: usize = 64 << 10;

fn check_question(field: &str, question: &PrivateText) -> Result<(), ApiError> {
    if question.as_private_str().len() <= MOST_QUESTION_BYTES {
        return Ok(());
    }
    Err(ApiError::invalid(
        field,
        format!("it must have at most {MOST_QUESTION_BYTES} bytes"),
    ))
}
