//! Models that lie on this machine already.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::vocabulary::{GgufSummary, ModelFiles};

/// Folders within folders that are looked into: the hub's cache has five.
const DEPTH: usize = 6;
/// Entries that are looked at, in all folders together.
const MOST_ENTRIES: usize = 50_000;
/// Files that are opened.
const MOST_FILES: usize = 200;

/// A model that lies here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HereModel {
    /// A GGUF file, or a directory in Hugging Face layout.
    pub path: PathBuf,
    /// What it calls itself, its file or its repository; some may be empty.
    pub names: Vec<String>,
    /// Bytes of its weights.
    pub bytes: u64,
    /// Millions of its parameters, as far as its size says.
    pub millions: u64,
    /// Numbers that are kept of each token.
    pub numbers_per_token: usize,
    /// Tokens it can attend to.
    pub context_length: Option<usize>,
    /// How well its numbers fit: 0 for 16 bits, 1 for 8, 2 for 32, 3 for coarser ones.
    pub coarseness: u8,
}

/// Where programs lay models: the hub's cache, llama.cpp's, LM Studio's, and a folder called models.
pub fn usual_folders() -> Vec<PathBuf> {
    let mut folders = vec![crate::local::hub_cache()];
    folders.extend(std::env::var_os("LLAMA_CACHE").map(PathBuf::from));
    folders.extend(dirs::cache_dir().map(|cache| cache.join("llama.cpp")));
    if let Some(home) = dirs::home_dir() {
        let usual = [".lmstudio/models", ".cache/lm-studio/models", "models"];
        folders.extend(usual.map(|folder| home.join(folder)));
    }
    folders
}

/// The models in these folders that can answer chats.
pub fn models_in(folders: &[PathBuf]) -> Vec<HereModel> {
    let mut found: Vec<HereModel> = Vec::new();
    let entries = folders.iter().flat_map(|folder| {
        // The hub's files are links.
        let walk = WalkDir::new(folder)
            .max_depth(DEPTH)
            .follow_links(true)
            .sort_by_file_name();
        walk.into_iter().filter_map(Result::ok)
    });
    let candidates = entries.take(MOST_ENTRIES).filter(|entry| is_candidate(entry.path()));
    for entry in candidates.take(MOST_FILES) {
        let path = entry.path();
        let model = if is_gguf(path) {
            gguf(path)
        } else {
            path.parent().and_then(directory)
        };
        found.extend(model.filter(|model| !found.iter().any(|other| other.path == model.path)));
    }
    found
}

/// The model at `path`, if it is one.
pub fn model_at(path: &Path) -> Option<HereModel> {
    if path.is_dir() { directory(path) } else { gguf(path) }
}

fn is_gguf(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gguf")
}

/// A GGUF file that is not a part of one, nor beside a model; or a directory's configuration.
fn is_candidate(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let is_part = name.contains("-of-") || name.contains("mmproj");
    (is_gguf(path) && !is_part) || name == "config.json"
}

fn gguf(path: &Path) -> Option<HereModel> {
    let bytes = path.metadata().ok()?.len();
    let summary = GgufSummary::read(path)
        .ok()
        .filter(|summary| summary.has_chat_template)?;
    let (bits, coarseness) = match summary.file_type {
        Some(0) => (32, 2),
        Some(1 | 32) => (16, 0),
        Some(7) => (8, 1),
        _ => (5, 3),
    };
    Some(HereModel {
        names: vec![summary.name, file_name(path)],
        millions: bytes * 8 / bits / 1_000_000,
        bytes,
        numbers_per_token: summary.numbers_per_token,
        context_length: summary.context_length,
        coarseness,
        path: path.to_owned(),
    })
}

fn directory(path: &Path) -> Option<HereModel> {
    if !path.join("tokenizer.json").is_file() {
        return None;
    }
    let files = ModelFiles::read(path).ok()?;
    files.chat_template.as_ref()?;
    let entries = std::fs::read_dir(path).ok()?.flatten();
    let weights = entries.filter(|entry| entry.path().extension().is_some_and(|end| end == "safetensors"));
    // Of what a link leads to.
    let sizes = weights.filter_map(|entry| entry.path().metadata().ok());
    let bytes: u64 = sizes.map(|data| data.len()).sum();
    let number = |name: &str| {
        let number = files.config.get(name)?.as_u64()?;
        usize::try_from(number).ok()
    };
    let heads = number("num_attention_heads").unwrap_or(1).max(1);
    let width = number("head_dim").unwrap_or(number("hidden_size").unwrap_or(0) / heads);
    let written = ["dtype", "torch_dtype"]
        .iter()
        .find_map(|name| files.config.get(name)?.as_str());
    let width_of_number = if written == Some("float32") { 4 } else { 2 };
    (bytes > 0).then(|| HereModel {
        names: vec![repository(path), file_name(path)],
        millions: bytes / width_of_number / 1_000_000,
        bytes,
        numbers_per_token: 2
            * width
            * number("num_key_value_heads").unwrap_or(heads)
            * number("num_hidden_layers").unwrap_or(0),
        context_length: files.context_length(),
        coarseness: 0,
        path: path.to_owned(),
    })
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The hub's id where `path` is in its cache, `models--OWNER--NAME/snapshots/REVISION`; otherwise empty.
fn repository(path: &Path) -> String {
    let repository = path.ancestors().nth(2).map(file_name).unwrap_or_default();
    let id = repository.strip_prefix("models--").unwrap_or_default();
    id.replacen("--", "/", 1)
}
