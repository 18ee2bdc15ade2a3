//! Saying what a server is before there is a small model for it, and so without its tokenizer.

use std::path::PathBuf;

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::connection::{Connection, Endpoint};
use super::looks::look;
use super::recognise::{ollama_version, recognise, version};
use super::unsteerable::{LM_STUDIO, Unsteerable};
use super::{Caller, Driver, Problem, ServedModel, Timeouts, UpstreamError};

/// What a server turned out to be.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its name, and its version where it says so.
    pub server: String,
    /// How it would be spoken to.
    pub driver: Driver,
    /// What it serves; empty where it does not say.
    pub models: Vec<ServedModel>,
    /// The model's file, as the server names it; only llama.cpp's does.
    pub file: Option<PathBuf>,
    /// Why it cannot be steered, where that is known without trying.
    pub unsteerable: Option<&'static Unsteerable>,
}

/// Asks the server at `url`, with the header `authorization` where there is one.
///
/// # Errors
/// An [`UpstreamError`]: it cannot be reached, wants a key, or is no such server.
pub async fn identify(
    url: &str,
    authorization: Option<HeaderValue>,
    timeouts: Timeouts,
) -> Result<Identity, UpstreamError> {
    let failed = |error: reqwest::Error| {
        Problem::Unusable {
            reason: error.to_string(),
        }
        .at(&url.into())
    };
    let connection = Connection::new(url, authorization, None, timeouts).map_err(failed)?;
    let caller = Caller::default();
    let looks = look(&connection, &caller).await?;
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let behind = host.as_deref().and_then(Unsteerable::behind);
    let (driver, kind) = match behind {
        Some(_) => (Driver::OpenaiChat, None),
        None => {
            let recognised = recognise(&connection, &looks, &caller).await;
            (recognised.driver, recognised.host)
        }
    };
    let name = match driver {
        Driver::Auto | Driver::Vllm => named("vLLM", version(&connection, &caller).await),
        Driver::LlamaCpp => "llama.cpp".to_owned(),
        Driver::Sglang => "SGLang".to_owned(),
        Driver::Ollama => named("Ollama", ollama_version(&connection, &caller).await),
        _ => match (behind, kind) {
            (Some(known), _) => known.server.to_owned(),
            (None, Some(kind)) => kind.name.to_owned(),
            (None, None) => program(&connection, &caller).await,
        },
    };
    Ok(Identity {
        unsteerable: behind.or_else(|| Unsteerable::named(&name)),
        server: name,
        driver,
        models: looks.models,
        file: if driver == Driver::LlamaCpp {
            file(&connection, &caller).await
        } else {
            None
        },
    })
}

fn named(name: &str, version: Option<String>) -> String {
    version.map_or_else(|| name.to_owned(), |version| format!("{name} {version}"))
}

/// The name of a program that is spoken to in chat completions, by a route that only it has.
async fn program(connection: &Connection, caller: &Caller) -> String {
    let answer = connection.get(Endpoint::Native("/api/v0/models"), caller).await;
    if answer.is_ok_and(|(_, body)| body.get("data").is_some()) {
        return LM_STUDIO.to_owned();
    }
    "an OpenAI-compatible server".to_owned()
}

/// The file that llama.cpp's server has loaded.
async fn file(connection: &Connection, caller: &Caller) -> Option<PathBuf> {
    let (_, body) = connection.get(Endpoint::Native("/props"), caller).await.ok()?;
    Some(body.get("model_path")?.as_str()?.into())
}
