//! Finding out what a server is and serves.

use reqwest::header::{HeaderMap, SERVER};
use serde_json::{Value, json};

use super::connection::{Connection, Endpoint};
use super::{Caller, Description, Driver, Problem, ServedModel, UpstreamError};

/// What `/v1/models` shows.
pub struct Looks {
    pub models: Vec<ServedModel>,
    owner: Option<String>,
    is_llamacpp: bool,
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
    let listed = body.get("data").and_then(Value::as_array);
    let listed = listed.map(Vec::as_slice).unwrap_or_default();
    let owner = listed
        .first()
        .and_then(|model| model.get("owned_by"))
        .and_then(Value::as_str);
    let server = headers.get(SERVER).and_then(|server| server.to_str().ok());
    Ok(Looks {
        models: listed.iter().filter_map(served).collect(),
        owner: owner.map(str::to_owned),
        is_llamacpp: server == Some("llama.cpp"),
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

/// What `/version` says: vLLM's version, and the name of a server that only speaks as vLLM does.
pub async fn version(connection: &Connection, caller: &Caller) -> Option<String> {
    let (_, body) = connection.get(Endpoint::Native("/version"), caller).await.ok()?;
    let version = body.get("version")?.as_str()?;
    let server = body.get("server").and_then(Value::as_str);
    Some(server.map_or_else(|| version.to_owned(), |server| format!("({server} {version})")))
}

/// What Ollama's `/api/version` says.
pub async fn ollama_version(connection: &Connection, caller: &Caller) -> Option<String> {
    let (_, body) = connection.get(Endpoint::Native("/api/version"), caller).await.ok()?;
    Some(body.get("version")?.as_str()?.to_owned())
}

/// Whether it is an Ollama that lists log-probabilities. Others that have its routes give older versions.
async fn is_ollama(connection: &Connection, caller: &Caller) -> bool {
    let numbers = |version: String| -> Vec<u32> {
        let numbers = version.split(['.', '-']).map_while(|number| number.parse().ok());
        numbers.collect()
    };
    let version = ollama_version(connection, caller).await.map(numbers);
    let has_tags = || connection.get(Endpoint::Native("/api/tags"), caller);
    version.is_some_and(|version| version >= vec![0, 12, 11])
        && has_tags().await.is_ok_and(|(_, body)| body.get("models").is_some())
}

/// Which driver the server needs. Only cheap questions are asked. What `/v1/models` says of the owner decides. Where something in between
/// has rewritten that, two other signs must agree: TensorRT-LLM has vLLM's `/version`, and TabbyAPI has llama.cpp's `/props`.
pub async fn recognise(connection: &Connection, looks: &Looks, caller: &Caller) -> Driver {
    match looks.owner.as_deref() {
        Some("vllm" | "costeer") => return Driver::Vllm,
        Some("llamacpp") => return Driver::LlamaCpp,
        Some("sglang") => return Driver::Sglang,
        _ if looks.is_llamacpp => return Driver::LlamaCpp,
        _ => {}
    }
    for (path, fields, driver) in [
        ("/get_model_info", ["model_path", "tokenizer_path"], Driver::Sglang),
        (
            "/props",
            ["default_generation_settings", "build_info"],
            Driver::LlamaCpp,
        ),
    ] {
        let answer = connection.get(Endpoint::Native(path), caller).await;
        if answer.is_ok_and(|(_, body)| fields.iter().all(|field| body.get(field).is_some())) {
            return driver;
        }
    }
    if is_ollama(connection, caller).await {
        return Driver::Ollama;
    }
    if version(connection, caller).await.is_some() && tokenises_as_vllm(connection, caller).await {
        return Driver::Vllm;
    }
    let url = connection.url();
    tracing::info!(
        %url,
        "the upstream shows no two signs of vLLM, SGLang, Ollama or llama.cpp's server, so it is spoken to in chat completions, which most servers \
         have; where it is one of them, set upstream.driver"
    );
    Driver::OpenaiChat
}

async fn tokenises_as_vllm(connection: &Connection, caller: &Caller) -> bool {
    let mut body = json!({"prompt": "a", "add_special_tokens": false});
    if let Some(model) = &caller.model {
        body["model"] = model.as_str().into();
    }
    let answer: Result<Value, _> = connection.ask(Endpoint::Native("/tokenize"), &body, caller).await;
    let fields = ["count", "max_model_len", "tokens"];
    answer.is_ok_and(|body| fields.iter().all(|field| body.get(field).is_some()))
}
