use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::pacing::Pacing;
use super::slots::Slots;
use super::thought::{Thought, Thoughtful};
use crate::local::{Engine, EngineOptions, LocalError, ModelSource};
use crate::vocabulary::{ModelFiles, TokenId, Tokenizer, VocabularyError};

/// A model behind vLLM's HTTP shapes.
pub struct DemoServer {
    pub(super) name: String,
    pub(super) tokenizer: Tokenizer,
    pub(super) slots: Arc<Slots>,
    pub(super) context_length: usize,
    pub(super) pacing: Pacing,
    /// Tokens generated since the start.
    pub(super) generated: AtomicU64,
    /// Rows of the model's output, padding included; ids below it are accepted in prompts.
    pub(super) rows: usize,
    thought: OnceLock<Thought>,
}

impl DemoServer {
    /// Loads the model `slots` times, so that as many requests run side by side, and serves it as `name`.
    ///
    /// # Errors
    /// A [`LocalError`] naming the setting and the file.
    pub async fn load(
        source: &ModelSource,
        options: &EngineOptions,
        slots: usize,
        name: &str,
        pacing: Pacing,
    ) -> Result<Arc<Self>, LocalError> {
        let unusable = |reason: String| LocalError::Source {
            setting: source.setting(),
            value: source.written().to_owned(),
            reason,
        };
        let tokenizer = Tokenizer::load(&source.tokenizer()).map_err(|error| unusable(error.to_string()))?;
        let files = ModelFiles::read(&source.tokenizer()).map_err(|error| unusable(error.to_string()))?;
        let mut engines = Vec::with_capacity(slots);
        for _ in 0..slots {
            engines.push(Engine::load(source, options, tokenizer.end()).await?);
        }
        let known = engines.first().and_then(Engine::context_length);
        let context_length = known
            .or(files.context_length())
            .ok_or_else(|| unusable("config.json has no max_position_embeddings".into()))?;
        let rows = files.config.get("vocab_size").and_then(Value::as_u64);
        let rows = rows.and_then(|rows| usize::try_from(rows).ok());
        Ok(Arc::new(Self {
            name: name.to_owned(),
            rows: rows.unwrap_or(tokenizer.selectable().len()),
            tokenizer,
            slots: Slots::new(engines),
            context_length,
            pacing,
            generated: AtomicU64::new(0),
            thought: OnceLock::new(),
        }))
    }

    /// Writes `text` before each answer to a chat from now on, as a model does that thinks first: "<think>…</think>". It can be said once.
    ///
    /// # Errors
    /// A [`VocabularyError`] when the tokenizer gives up.
    pub fn think(&self, text: &str) -> Result<(), VocabularyError> {
        let thought = Thought::new(&self.tokenizer, text)?;
        self.thought.get_or_init(|| thought);
        Ok(())
    }

    /// How the answer after `prompt` goes on.
    pub(super) fn thoughtful(&self, prompt: &[TokenId]) -> Thoughtful {
        let thought = self.thought.get();
        thought.map_or_else(|| Thoughtful::none(prompt), |thought| thought.after(prompt))
    }

    /// Tokens generated since the start, whether anybody read them or not.
    pub fn generated(&self) -> u64 {
        self.generated.load(Ordering::Relaxed)
    }
}
