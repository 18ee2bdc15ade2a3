//! Ollama, on its own `/api/generate` with `raw`: the prompt as text, lists of names.
//!
//! Source: Ollama's API reference and its server's source. Three traps shape this driver. An event without text is dropped, so the end of
//! turn is never listed; where an answer stops, the position is asked for alone, with a format that forces another token and leaves the
//! list as it is. Special tokens have no names in lists; the likeliest of them is the end of turn. And a character of several tokens
//! comes as one text with the list of its last token, so such a character is the host's own choice.

mod driver;
mod wire;

pub use driver::{LIMITS, Ollama};
