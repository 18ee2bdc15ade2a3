use serde::Deserialize;

/// How llama.cpp is to run a model.
#[derive(Clone, Debug)]
pub struct LlamaOptions {
    /// Threads that compute; `None`: one a core.
    pub threads: Option<usize>,
    /// Layers that an accelerator computes, where one was compiled in; the rest is the CPU's.
    pub gpu_layers: u32,
    /// Number format of what is remembered of each token.
    pub kv_type: KvType,
    /// Whether attention is computed without writing out its weights. Without it, sums are exact to a few more bits.
    pub flash_attention: bool,
    /// Tokens of a pass.
    pub batch: usize,
    /// Positions of an answer that are checked in one pass.
    pub block: usize,
    /// Tokens a branch can hold, prompt and answer together; `None`: as many as the model can, within reason.
    pub window: Option<usize>,
    /// Bytes of prompts and answers that are remembered for later sessions.
    pub cache: usize,
}

/// Number format of keys and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KvType {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// 8-bit blocks; needs flash attention.
    #[serde(rename = "q8_0")]
    Q8,
}

impl KvType {
    /// Bytes of a number.
    pub fn bytes(self) -> f64 {
        match self {
            Self::F32 => 4.0,
            Self::F16 => 2.0,
            Self::Q8 => 34.0 / 32.0,
        }
    }
}
