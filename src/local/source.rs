use std::path::{Path, PathBuf};

use super::LocalError;
use super::hub::{FileSet, is_hub_id, snapshot};
use crate::vocabulary::resolve_path;

/// Where a model lies.
#[derive(Clone, Debug)]
pub struct ModelSource {
    setting: &'static str,
    written: String,
    folder: PathBuf,
    gguf: Option<String>,
}

impl ModelSource {
    /// Finds what `value` of `setting` means: a directory in Hugging Face layout, a GGUF file, or a hub id
    /// (`owner/name`), which is fetched now.
    ///
    /// # Errors
    /// [`LocalError::Source`] naming the setting and the file that is missing.
    pub async fn locate(setting: &'static str, value: &str) -> Result<Self, LocalError> {
        let path = resolve_path(Path::new(value));
        let found = if path.is_file() {
            gguf(&path).map(|(folder, file)| (folder, Some(file)))
        } else {
            let folder = directory(path, value, FileSet::Model).await;
            folder
                .and_then(|folder| require_model_files(&folder).map(|()| folder))
                .map(|folder| (folder, None))
        };
        let (folder, gguf) = found.map_err(|reason| unusable(setting, value, reason))?;
        Ok(Self {
            setting,
            written: value.to_owned(),
            folder,
            gguf,
        })
    }

    /// The setting this came from, for messages.
    pub fn setting(&self) -> &'static str {
        self.setting
    }

    /// The setting's value as it was written, for messages.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The name of a GGUF file in [`Self::folder`]; `None` for a directory in Hugging Face layout.
    pub fn gguf(&self) -> Option<&str> {
        self.gguf.as_deref()
    }

    /// Where the model's tokenizer is: its directory, or the GGUF file itself where there is no `tokenizer.json` beside it.
    pub fn tokenizer(&self) -> PathBuf {
        match &self.gguf {
            Some(file) if !self.folder.join("tokenizer.json").is_file() => self.folder.join(file),
            _ => self.folder.clone(),
        }
    }

    /// The directory that holds the model, its tokenizer and its configuration.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Finds a tokenizer: `value` of `setting` is a directory with tokenizer files, a GGUF file, or a hub id.
///
/// # Errors
/// [`LocalError::Source`] naming the setting.
pub async fn tokenizer_source(setting: &'static str, value: &str) -> Result<PathBuf, LocalError> {
    let path = resolve_path(Path::new(value));
    let found = if path.is_file() {
        gguf(&path).map(|(folder, file)| folder.join(file))
    } else {
        directory(path, value, FileSet::Tokenizer).await
    };
    found.map_err(|reason| unusable(setting, value, reason))
}

async fn directory(path: PathBuf, value: &str, files: FileSet) -> Result<PathBuf, String> {
    if path.is_dir() {
        Ok(path)
    } else if is_hub_id(value) {
        snapshot(value, files).await
    } else {
        Err("there is no such directory or file".into())
    }
}

fn unusable(setting: &'static str, value: &str, reason: String) -> LocalError {
    LocalError::Source {
        setting,
        value: value.to_owned(),
        reason,
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

/// Folder and name of a GGUF file.
fn gguf(path: &Path) -> Result<(PathBuf, String), String> {
    if path.extension().is_none_or(|extension| extension != "gguf") {
        return Err("it is a file, but not a .gguf one; give a model directory or a GGUF file".into());
    }
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(file)) => {
            // A file in the working directory has nothing before its name, and an empty setting would mean another folder.
            let is_here = folder.as_os_str().is_empty();
            let folder = if is_here { Path::new(".") } else { folder };
            Ok((folder.to_owned(), file.to_string_lossy().into_owned()))
        }
        _ => Err("it names no file".into()),
    }
}
