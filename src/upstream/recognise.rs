//! Finding out what a server is.

use reqwest::header::SERVER;
use serde_json::{Value, json};

use super::connection::{Connection, Endpoint};
use super::hosts::Host;
use super::looks::Looks;
use super::signs::known;
use super::{Caller, Driver};

/// What a server was recognised as.
pub struct Recognised {
    pub driver: Driver,
    /// What is peculiar to it, where it is one of those in the table.
    pub host: Option<&'static Host>,
    /// What it was recognised by.
    pub signs: String,
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

/// Which driver the server needs, and by what signs. Only cheap questions are asked. What `/v1/models` says of the owner decides for the
/// servers that have drivers of their own. For all others, and where something in between has rewritten that, two signs must agree:
/// TensorRT-LLM has vLLM's `/version`, and TabbyAPI has llama.cpp's `/props`.
pub async fn recognise(connection: &Connection, looks: &Looks, caller: &Caller) -> Recognised {
    let by = |driver, signs: &str| Recognised {
        driver,
        host: None,
        signs: signs.to_owned(),
    };
    let owner = looks.owner.as_deref();
    let native = match owner {
        Some("vllm" | "costeer") => Some(Driver::Vllm),
        Some("llamacpp") => Some(Driver::LlamaCpp),
        Some("sglang") => Some(Driver::Sglang),
        _ => None,
    };
    if let (Some(driver), Some(owner)) = (native, owner) {
        return by(driver, &format!("the owner {owner:?} of its models"));
    }
    if looks.headers.get(SERVER).is_some_and(|server| server == "llama.cpp") {
        return by(Driver::LlamaCpp, "the header \"Server: llama.cpp\"");
    }
    if let Some((host, signs)) = known(connection, looks, caller).await {
        return Recognised {
            driver: host.driver,
            host: Some(host),
            signs,
        };
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
            return by(
                driver,
                &format!("{} and {} in the answer of {path}", fields[0], fields[1]),
            );
        }
    }
    if is_ollama(connection, caller).await {
        return by(Driver::Ollama, "the answers of /api/version and /api/tags");
    }
    if version(connection, caller).await.is_some() && tokenises_as_vllm(connection, caller).await {
        return by(Driver::Vllm, "the answers of /version and /tokenize");
    }
    by(
        Driver::OpenaiChat,
        "no two signs of a server that is known, so it is spoken to in chat completions, which most have; where it is one of those, set \
         upstream.driver",
    )
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
