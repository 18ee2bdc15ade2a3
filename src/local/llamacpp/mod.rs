//! llama.cpp: GGUF files, several positions at once, and a way back.

mod backend;
mod load;
mod plan;

pub use load::load;
