//! Finding out what a server serves.

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::connection::{Connection, Endpoint};
use super::{Caller, Description, Problem, ServedModel, UpstreamError};

/// What `/v1/models` shows.
pub struct Looks {
    pub models: Vec<ServedModel>,
    /// The owner of the first of them.
    pub owner: Option<String>,
    /// What the list came with.
    pub headers: HeaderMap,
}

/// Asks a server what it serves.
///
/// # Errors
/// As for [`Connection::get`].
pub async fn look(connection: &Connection, caller: &Caller) -> Result<Looks, UpstreamError> {
    let (headers, body) = match list(connection, caller).await {
        Ok(answer) => answer,
        // Not every host has the list.
        Err(error) if error.problem.is_no_such_route() => (HeaderMap::new(), Value::Null),
        Err(error) => return Err(error),
    };
    // Together gives the bare list.
    let listed = body.get("data").unwrap_or(&body).as_array();
    let listed = listed.map(Vec::as_slice).unwrap_or_default();
    let owner = listed
        .first()
        .and_then(|model| model.get("owned_by"))
        .and_then(Value::as_str);
    Ok(Looks {
        models: listed.iter().filter_map(served).collect(),
        owner: owner.map(str::to_owned),
        headers,
    })
}

/// The list of models, and with it where the API is: at the configured address or in its `/v1`.
async fn list(connection: &Connection, caller: &Caller) -> Result<(HeaderMap, Value), UpstreamError> {
    if !connection.is_unsettled() {
        return connection.get(Endpoint::Api("/models"), caller).await;
    }
    let mut refusal = None;
    for api in connection.likely_apis() {
        match connection.get(Endpoint::Native(&format!("{api}/models")), caller).await {
            Ok(answer) => {
                connection.settle(api);
                return Ok(answer);
            }
            Err(error) if error.problem.is_no_such_route() || matches!(error.problem, Problem::Malformed(_)) => {
                // What the likelier address says is of more use.
                refusal.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    Err(refusal.unwrap_or_else(|| connection.problem(Problem::NoLogprobs)))
}

fn served(model: &Value) -> Option<ServedModel> {
    let number = |pointer: &str| model.pointer(pointer).and_then(Value::as_u64);
    // vLLM and SGLang; llama.cpp, where it is the context of one slot.
    let context = number("/max_model_len").or_else(|| number("/meta/n_ctx"));
    let words = ["/root", "/meta/n_vocab", "/meta/n_params", "/meta/size", "/meta/ftype"];
    let words = words.iter().filter_map(|pointer| model.pointer(pointer));
    Some(ServedModel {
        id: model.get("id")?.as_str()?.to_owned(),
        context_length: context.and_then(|length| usize::try_from(length).ok()),
        vocabulary: number("/meta/n_vocab").and_then(|entries| usize::try_from(entries).ok()),
        identity: words.map(Value::to_string).collect::<Vec<_>>().join(" "),
    })
}

/// Checks that a server still serves the model that it served before: a session goes on from its prefix, which only that model can
/// continue.
///
/// # Errors
/// [`Problem::AnotherModel`].
pub fn same_model(before: &Description, now: &Looks, caller: &Caller) -> Result<(), Problem> {
    let Some(before) = before.model(caller.model.as_deref()) else {
        return Ok(());
    };
    let is_before = |model: &&ServedModel| model.id == before.id && model.identity == before.identity;
    if now.models.iter().any(|model| is_before(&model)) {
        return Ok(());
    }
    let words = |model: &ServedModel| format!("{} {}", model.id, model.identity);
    let now = now
        .models
        .iter()
        .find(|model| model.id == before.id)
        .or(now.models.first());
    Err(Problem::AnotherModel {
        before: words(before),
        now: now.map_or_else(|| "none".to_owned(), words),
    })
}
