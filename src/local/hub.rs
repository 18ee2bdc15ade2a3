//! Models from the hub: fetched into its own cache, then used like any directory.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use hf_hub::Cache;
use hf_hub::api::tokio::{ApiBuilder, ApiError};

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
    let api = ApiBuilder::from_env()
        .with_progress(std::io::stderr().is_terminal())
        .build()?;
    let repository = api.model(id.to_owned());
    let mut tokenizer = repository.get("tokenizer.json").await?;
    for file in repository.info().await?.siblings {
        if files.includes(&file.rfilename) {
            repository.get(&file.rfilename).await?;
        }
    }
    tokenizer.pop();
    Ok(tokenizer)
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
