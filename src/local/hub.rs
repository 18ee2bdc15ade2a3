//! Models from the hub: fetched into its own cache, then used like any directory.

use std::error::Error;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use hf_hub::Cache;
use hf_hub::api::tokio::{Api, ApiBuilder, ApiError};
use serde::Deserialize;

/// Which files of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSet {
    /// Tokenizer, templates and configuration: small.
    Tokenizer,
    /// The weights as well.
    Model,
}

const SMALL_FILES: [&str; 5] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
];

impl FileSet {
    fn includes(self, file: &str) -> bool {
        let weights = file.ends_with(".safetensors") || file == "model.safetensors.index.json";
        // Some repositories hold their weights twice, the second time in a layout of the model's maker.
        let twice = file.contains('/') || file.starts_with("consolidated");
        SMALL_FILES.contains(&file) || (self == Self::Model && weights && !twice)
    }
}

/// `owner/name`, and nothing that looks like a path.
pub fn is_hub_id(value: &str) -> bool {
    let part = |text: &str| {
        !text.is_empty()
            && !text.starts_with(['.', '~'])
            && text
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.'))
    };
    value
        .split_once('/')
        .is_some_and(|(owner, name)| part(owner) && part(name))
}

/// The directory that holds these files of `id`. Without a way to the hub, what was fetched before is used.
///
/// `HF_HOME`, `HF_ENDPOINT` and `HF_TOKEN` count, as in the hub's own tools.
///
/// # Errors
/// Why the hub did not give the files, as text, when there are none from before either.
pub async fn snapshot(id: &str, files: FileSet) -> Result<PathBuf, String> {
    match fetch(id, files).await {
        Ok(directory) => Ok(directory),
        Err(error) => {
            let cached = Cache::from_env().model(id.to_owned()).get("tokenizer.json");
            let cached = cached.as_deref().and_then(Path::parent).map(Path::to_owned);
            let reason = format!("there is no such directory, and the model hub did not give {id}: {error}");
            cached
                .inspect(|_| tracing::warn!(%error, "the model hub cannot be asked; going on with what is cached"))
                .ok_or(reason)
        }
    }
}

async fn fetch(id: &str, files: FileSet) -> Result<PathBuf, ApiError> {
    let repository = api()?.model(id.to_owned());
    let mut tokenizer = repository.get("tokenizer.json").await?;
    for file in repository.info().await?.siblings {
        if files.includes(&file.rfilename) {
            repository.get(&file.rfilename).await?;
        }
    }
    tokenizer.pop();
    Ok(tokenizer)
}

fn api() -> Result<Api, ApiError> {
    let cache = Cache::from_env();
    // The client reads the token's file alone.
    let token = std::env::var("HF_TOKEN").ok().filter(|token| !token.is_empty());
    ApiBuilder::from_env()
        .with_token(token.or_else(|| cache.token()))
        .with_progress(std::io::stderr().is_terminal())
        .build()
}

/// What of a model is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// Several files.
    Set(FileSet),
    /// One, by its name.
    File(&'a str),
}

/// Bytes of what is wanted of `id`, as the hub has it; 0 for files whose size it does not say.
///
/// # Errors
/// Why the hub did not say, as text.
pub async fn hub_size(id: &str, wanted: Wanted<'_>) -> Result<u64, String> {
    #[derive(Deserialize)]
    struct Listed {
        siblings: Vec<ListedFile>,
    }
    #[derive(Deserialize)]
    struct ListedFile {
        rfilename: String,
        size: Option<u64>,
    }
    let failed = |error: &dyn Error| format!("the model hub did not say what {id} holds: {}", innermost(error));
    let repository = api().map_err(|error| failed(&error))?.model(id.to_owned());
    let asked = repository.info_request().query(&[("blobs", "true")]).send().await;
    let listed = asked
        .and_then(|answer| answer.error_for_status())
        .map_err(|error| failed(&error))?;
    let listed: Listed = listed.json().await.map_err(|error| failed(&error))?;
    let is_wanted = |file: &&ListedFile| match wanted {
        Wanted::Set(files) => files.includes(&file.rfilename),
        Wanted::File(name) => file.rfilename == name,
    };
    let mut sizes = listed.siblings.iter().filter(is_wanted).peekable();
    if sizes.peek().is_none() {
        return Err(format!("the model hub has no such files in {id}"));
    }
    Ok(sizes.map(|file| file.size.unwrap_or(0)).sum())
}

/// A single file of `id`, fetched now unless it was before.
///
/// # Errors
/// Why the hub did not give it, as text.
pub async fn hub_file(id: &str, name: &str) -> Result<PathBuf, String> {
    let got = async { api()?.model(id.to_owned()).get(name).await };
    let failed = |error: ApiError| format!("the model hub did not give {name} of {id}: {}", innermost(&error));
    got.await.map_err(failed)
}

/// A file of `id` that was fetched before.
pub fn hub_cached(id: &str, name: &str) -> Option<PathBuf> {
    Cache::from_env().model(id.to_owned()).get(name)
}

/// The folder that the hub's files go into.
pub fn hub_cache() -> PathBuf {
    Cache::from_env().path().clone()
}

/// The first cause: the client's own words repeat the address and hide why.
fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hub_ids_are_told_from_paths() {
        assert!(is_hub_id("Qwen/Qwen2.5-0.5B-Instruct"));
        for path in ["models/tiny/slm", "./slm/x", "../x", "/abs/x", "~/x", "slm", "a/"] {
            assert!(!is_hub_id(path), "{path}");
        }
    }

    #[test]
    fn weights_are_fetched_only_where_they_are_wanted() {
        assert!(!FileSet::Tokenizer.includes("model-00001-of-00002.safetensors"));
        assert!(FileSet::Model.includes("model-00001-of-00002.safetensors"));
        assert!(FileSet::Model.includes("config.json") && FileSet::Tokenizer.includes("config.json"));
        for file in [
            "onnx/model.onnx",
            "consolidated.safetensors",
            "README.md",
            "pytorch_model.bin",
        ] {
            assert!(!FileSet::Model.includes(file), "{file}");
        }
    }
}
