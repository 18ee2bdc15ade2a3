use std::time::Duration;

use serde::Deserialize;

use super::values::{millis, optional};
use crate::local::Precision;

/// `[local]`: the small model.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Local {
    /// Directory, GGUF file or hub id.
    pub model: String,
    /// `None` when empty: the model's own.
    #[serde(deserialize_with = "optional")]
    pub tokenizer: Option<String>,
    /// Number format.
    pub dtype: Precision,
    /// `None` when empty.
    #[serde(deserialize_with = "optional")]
    pub quantisation: Option<String>,
    /// Where to compute.
    pub device: Device,
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
