//! Hosts that have chat completions only. The picked text is sent back as the beginning of the assistant's message, and the
//! host goes on with it. What travels is text, so the host may cut it into other tokens than the picked ones.
//!
//! A token that is part of a character cannot be sent back, so it is a candidate only where the host itself chose it.
//!
//! A host may close the message and start a new turn instead. It would then answer another question without any warning.
//! So the driver tries first whether the host continues a message.
//!
//! Sources: OpenAI's API reference (the shapes), vLLM's `continue_final_message`, DeepSeek's and Mistral's `prefix`.

mod driver;
mod wire;

pub use driver::{LIMITS, OpenaiChat};
