//! Hosts that have chat completions only. The picked text is sent back as the beginning of the assistant's message, and the
//! host goes on with it. What travels is text, so the host may cut it into other tokens than the picked ones.
//!
//! A token that is part of a character cannot be sent back, so it is a candidate only where the host itself chose it.
//!
//! Sources: OpenAI's API reference (the shapes), vLLM's `continue_final_message`, DeepSeek's and Mistral's `prefix`. A host
//! that closes the message and starts a new turn would answer another question without a word of warning; whether it
//! continues is therefore tried before it is used.

mod driver;
mod wire;

pub use driver::{LIMITS, OpenaiChat};
