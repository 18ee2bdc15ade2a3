use std::time::Duration;

use serde::Deserialize;

use super::values::{millis, none_or_many, optional, optional_count, template_options};
use crate::local::{EngineChoice, KvType, Precision};
use crate::vocabulary::TemplateOptions;

/// `[local]`: the small model.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Local {
    /// Directory, GGUF file or hub id.
    pub model: String,
    /// `None` when empty: the model's own.
    #[serde(deserialize_with = "optional")]
    pub tokenizer: Option<String>,
    /// Rendered into every chat of it.
    #[serde(deserialize_with = "template_options")]
    pub template_kwargs: TemplateOptions,
    /// What begins and ends a thought; empty where the chat template says so.
    #[serde(deserialize_with = "none_or_many")]
    pub thinking_markers: Vec<String>,
    /// What runs it.
    pub engine: EngineChoice,
    /// Number format.
    pub dtype: Precision,
    /// `None` when empty.
    #[serde(deserialize_with = "optional")]
    pub quantisation: Option<String>,
    /// Where to compute.
    pub device: Device,
    /// Threads of llama.cpp; `None` when 0: one a core.
    #[serde(deserialize_with = "optional_count")]
    pub threads: Option<usize>,
    /// Layers that an accelerator computes with llama.cpp.
    pub gpu_layers: u32,
    /// Number format of llama.cpp's keys and values.
    pub kv_type: KvType,
    /// How llama.cpp computes attention.
    pub flash_attention: bool,
    /// Tokens llama.cpp computes in one pass.
    pub batch: usize,
    /// Positions of an answer that llama.cpp checks in one pass.
    pub block: usize,
    /// Tokens a branch holds with llama.cpp; `None` when 0: the model's own number, within reason.
    #[serde(deserialize_with = "optional_count")]
    pub window: Option<usize>,
    /// Megabytes of prompts and answers that llama.cpp remembers.
    pub cache_mb: usize,
    /// Sessions at the same time.
    pub slots: usize,
    /// Sessions that may wait.
    pub queue: usize,
    /// How long they may wait.
    #[serde(rename = "queue_timeout_ms", deserialize_with = "millis")]
    pub queue_timeout: Duration,
}

/// Where the small model computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// An accelerator where one was compiled in.
    Auto,
    /// The CPU.
    Cpu,
}
