//! vLLM, and `costeer upstream`, which speaks its dialect: token ids on `/v1/completions`.

mod driver;
mod wire;

pub use driver::Vllm;
