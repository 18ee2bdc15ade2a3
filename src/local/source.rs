use std::path::{Path, PathBuf};

use super::LocalError;
use crate::vocabulary::resolve_path;

/// Where a model comes from.
#[derive(Clone, Debug)]
pub struct ModelSource {
    setting: &'static str,
    written: String,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    /// A Hugging Face model directory.
    Directory(PathBuf),
    /// A GGUF file; tokenizer files lie beside it or in `local.tokenizer`.
    Gguf { folder: PathBuf, file: String },
    /// A model on the hub, `owner/name`, with the folder of its small files in the local cache.
    Hub { id: String, snapshot: PathBuf },
}

impl ModelSource {
    /// Finds what `value` of `setting` means: a directory, a GGUF file, or a hub id (`owner/name`), whose small files
    /// are fetched now and whose weights are fetched by the engine.
    ///
    /// # Errors
    /// [`LocalError::Source`] naming the setting and the file that is missing.
    pub async fn locate(setting: &'static str, value: &str) -> Result<Self, LocalError> {
        let path = resolve_path(Path::new(value));
        let place = if path.is_dir() {
            require_model_files(&path).map(|()| Place::Directory(path))
        } else if path.is_file() {
            gguf(&path)
        } else if is_hub_id(value) {
            fetch(value).await
        } else {
            Err("there is no such directory or file".into())
        };
        let place = place.map_err(|reason| LocalError::Source {
            setting,
            value: value.to_owned(),
            reason,
        })?;
        Ok(Self {
            setting,
            written: value.to_owned(),
            place,
        })
    }

    /// The setting this came from, for messages.
    pub fn setting(&self) -> &'static str {
        self.setting
    }

    /// What the engine is to load: a directory's path or a hub id; for a GGUF file, the setting as written.
    pub fn value(&self) -> String {
        match &self.place {
            Place::Directory(path) => path.display().to_string(),
            Place::Hub { id, .. } => id.clone(),
            Place::Gguf { .. } => self.written.clone(),
        }
    }

    /// Folder and file name of a GGUF model.
    pub fn gguf(&self) -> Option<(String, String)> {
        match &self.place {
            Place::Gguf { folder, file } => Some((folder.display().to_string(), file.clone())),
            Place::Directory(_) | Place::Hub { .. } => None,
        }
    }

    /// The directory that holds tokenizer and configuration files.
    pub fn files(&self) -> &Path {
        match &self.place {
            Place::Directory(path) => path,
            Place::Gguf { folder, .. } => folder,
            Place::Hub { snapshot, .. } => snapshot,
        }
    }
}

fn require_model_files(directory: &Path) -> Result<(), String> {
    for name in ["config.json", "tokenizer.json"] {
        let file = directory.join(name);
        if !file.is_file() {
            return Err(format!("{} is missing", file.display()));
        }
    }
    let entries = std::fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let has_weights = entries.flatten().any(|entry| {
        entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "safetensors")
    });
    if has_weights {
        Ok(())
    } else {
        Err(format!("{} has no *.safetensors file", directory.display()))
    }
}

fn gguf(path: &Path) -> Result<Place, String> {
    if path.extension().is_none_or(|extension| extension != "gguf") {
        return Err("it is a file, but not a .gguf one; give a model directory or a GGUF file".into());
    }
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(file)) => Ok(Place::Gguf {
            folder: folder.to_owned(),
            file: file.to_string_lossy().into_owned(),
        }),
        _ => Err("it names no file".into()),
    }
}

/// `owner/name`, and nothing that looks like a path.
fn is_hub_id(value: &str) -> bool {
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

/// The small files of a hub model; the engine fetches the weights itself, into the same cache.
async fn fetch(id: &str) -> Result<Place, String> {
    let unreachable = |error: hf_hub::api::tokio::ApiError| {
        format!("there is no such directory, and the model hub did not give {id}: {error}")
    };
    let api = hf_hub::api::tokio::ApiBuilder::from_env()
        .build()
        .map_err(unreachable)?;
    let repository = api.model(id.to_owned());
    let tokenizer = repository.get("tokenizer.json").await.map_err(unreachable)?;
    repository.get("config.json").await.map_err(unreachable)?;
    for optional in ["tokenizer_config.json", "generation_config.json", "chat_template.jinja"] {
        if let Err(error) = repository.get(optional).await {
            tracing::debug!(file = optional, %error, "the model hub has no such file");
        }
    }
    let snapshot = tokenizer.parent().map(Path::to_owned).unwrap_or_default();
    Ok(Place::Hub {
        id: id.to_owned(),
        snapshot,
    })
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
}
