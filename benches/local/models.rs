//! The model's files, and Python with the packages that come with them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// A small model in one of its formats.
pub struct Model {
    pub name: &'static str,
    /// What `local.model` names.
    pub path: PathBuf,
    pub engine: &'static str,
    /// The file that llama.cpp is measured with.
    pub gguf: PathBuf,
    pub python: PathBuf,
    shape: Shape,
}

#[derive(Deserialize)]
struct Shape {
    num_hidden_layers: u64,
    num_key_value_heads: u64,
    head_dim: u64,
}

impl Model {
    pub const NAMES: [&str; 5] = ["hf", "Q4_1", "Q8_0", "F16", "F32"];

    /// Makes the files where they are not there yet.
    pub fn make(name: &str) -> Self {
        let name = Self::NAMES.into_iter().find(|known| *known == name).unwrap();
        let kept = std::env::var_os("COSTEER_VENVS").map(PathBuf::from);
        let kept = kept.unwrap_or_else(|| dirs::home_dir().unwrap().join(".cache/costeer"));
        let folder = kept.join("smollm2");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engine/models.sh");
        assert!(Command::new(script).arg(&folder).status().unwrap().success());
        let (file, engine) = match name {
            "hf" => ("F16".to_owned(), "mistralrs"),
            format => (format.to_owned(), "llamacpp"),
        };
        let gguf = folder.join(file + ".gguf");
        let config = std::fs::read_to_string(folder.join("hf/config.json")).unwrap();
        Self {
            name,
            path: if name == "hf" { folder.join("hf") } else { gguf.clone() },
            engine,
            gguf,
            python: kept.join("engine/bin/python"),
            shape: serde_json::from_str(&config).unwrap(),
        }
    }

    /// The weights' size in MB.
    pub fn megabytes(&self) -> f64 {
        let weights = match self.name {
            "hf" => self.path.join("model.safetensors"),
            _ => self.path.clone(),
        };
        std::fs::metadata(weights).unwrap().len() as f64 / 1e6
    }

    /// What keys and values of so many tokens take, in MB: two numbers of 16 bits for each layer, head and dimension.
    pub fn cache_megabytes(&self, tokens: usize) -> f64 {
        let shape = &self.shape;
        let numbers = 2 * shape.num_hidden_layers * shape.num_key_value_heads * shape.head_dim;
        (2 * numbers * tokens as u64) as f64 / 1e6
    }
}
