use std::path::{Path, PathBuf};

use serde_json::Value;

use super::VocabularyError;
use super::gguf::{self, GgufMetadata};

/// The small JSON files of a Hugging Face model directory, or what a GGUF file says instead of them, read once.
pub struct ModelFiles {
    /// `config.json`; null where the directory holds only a tokenizer.
    pub config: Value,
    /// `generation_config.json`; null when absent.
    pub generation_config: Value,
    /// `tokenizer_config.json`; null when absent.
    pub tokenizer_config: Value,
    /// The chat template's source, from `chat_template.jinja` or, where that is absent, from `tokenizer_config.json`.
    pub chat_template: Option<String>,
    /// The file that the chat template is in, or would be.
    pub template_path: PathBuf,
    /// `special_tokens_map.json`; null when absent.
    specials: Value,
}

impl ModelFiles {
    /// Reads a directory or a GGUF file.
    ///
    /// # Errors
    /// [`VocabularyError::Broken`] when a file that is there is not JSON, or no GGUF file.
    pub fn read(path: &Path) -> Result<Self, VocabularyError> {
        if gguf::is_gguf(path) {
            return Ok(Self::of(&GgufMetadata::read(path)?, path));
        }
        let tokenizer_config = json_or_null(&path.join("tokenizer_config.json"))?;
        let template_path = path.join("chat_template.jinja");
        let (chat_template, template_path) = match std::fs::read_to_string(&template_path) {
            Ok(text) => (Some(text), template_path),
            Err(_) => (inline_template(&tokenizer_config), path.join("tokenizer_config.json")),
        };
        Ok(Self {
            config: json_or_null(&path.join("config.json"))?,
            generation_config: json_or_null(&path.join("generation_config.json"))?,
            specials: json_or_null(&path.join("special_tokens_map.json"))?,
            tokenizer_config,
            chat_template,
            template_path,
        })
    }

    fn of(metadata: &GgufMetadata, path: &Path) -> Self {
        let tokenizer_config = gguf::tokenizer_config(metadata);
        Self {
            config: gguf::config(metadata),
            generation_config: Value::Null,
            specials: Value::Null,
            chat_template: inline_template(&tokenizer_config),
            tokenizer_config,
            template_path: path.to_owned(),
        }
    }

    /// Tokens the model can attend to, from `max_position_embeddings`.
    pub fn context_length(&self) -> Option<usize> {
        let tokens = self.config.get("max_position_embeddings")?.as_u64()?;
        usize::try_from(tokens).ok()
    }

    /// Ids that end a turn: `eos_token_id` of the generation configuration and of the model configuration.
    pub fn end_ids(&self) -> Vec<u32> {
        [&self.generation_config, &self.config]
            .into_iter()
            .filter_map(|file| file.get("eos_token_id"))
            .flat_map(|ids| match ids {
                Value::Array(ids) => ids.clone(),
                one => vec![one.clone()],
            })
            .filter_map(|id| id.as_u64().and_then(|id| u32::try_from(id).ok()))
            .collect()
    }

    /// The text of a named special token (`bos_token`, `eos_token`), which files write as a string or as an object.
    pub fn special_text(&self, name: &str) -> Option<String> {
        let token = [&self.tokenizer_config, &self.specials]
            .into_iter()
            .find_map(|file| file.get(name).filter(|token| !token.is_null()))?;
        let text = token.get("content").unwrap_or(token);
        text.as_str().map(str::to_owned)
    }

    /// Names and texts of all special tokens that have a name.
    pub fn special_texts(&self) -> Vec<(String, String)> {
        let names = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"];
        let named = names.map(|name| format!("{name}_token")).into_iter();
        named
            .filter_map(|name| self.special_text(&name).map(|text| (name, text)))
            .collect()
    }
}

/// Finds a model path that may be relative to where this program is.
///
/// Tried in order: as written (from the working directory), beside the executable, under `../share/costeer` of the
/// executable, and in the source tree this binary was built from. The first that exists wins; if none does, the path as
/// written comes back and the caller's error names it.
pub fn resolve_path(path: &Path) -> PathBuf {
    if path.is_absolute() || path.exists() {
        return path.to_owned();
    }
    // The real file: installers of packages put a link to it where programs are looked for.
    let executable = std::env::current_exe().and_then(std::fs::canonicalize).ok();
    let beside = executable.as_deref().and_then(Path::parent);
    [
        beside.map(|folder| folder.join(path)),
        beside.map(|folder| folder.join("../share/costeer").join(path)),
        Some(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)),
    ]
    .into_iter()
    .flatten()
    .find(|candidate| candidate.exists())
    .unwrap_or_else(|| path.to_owned())
}

fn json_or_null(path: &Path) -> Result<Value, VocabularyError> {
    let Ok(text) = std::fs::read_to_string(path) else {
        return Ok(Value::Null);
    };
    serde_json::from_str(&text).map_err(|error| VocabularyError::Broken {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// `chat_template` is a string, or a list of `{name, template}`, of which the one called `default` counts, or the only one.
fn inline_template(tokenizer_config: &Value) -> Option<String> {
    let template = tokenizer_config.get("chat_template")?;
    if let Some(text) = template.as_str() {
        return Some(text.to_owned());
    }
    let named = template.as_array()?;
    let is_default = |entry: &&Value| entry.get("name").and_then(Value::as_str) == Some("default");
    let only = named.first().filter(|_| named.len() == 1);
    let chosen = named.iter().find(is_default).or(only)?;
    chosen.get("template")?.as_str().map(str::to_owned)
}
