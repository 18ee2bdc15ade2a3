use std::sync::Arc;

use serde::Deserialize;

use super::{EngineOptions, LlamaOptions, LocalError, LocalModel, ModelSource, SlotLimits, SlotPool};
use crate::vocabulary::TokenId;

/// Which engine runs the small model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// llama.cpp for a GGUF file where it was compiled in, otherwise mistral.rs.
    Auto,
    /// mistral.rs.
    MistralRs,
    /// llama.cpp.
    LlamaCpp,
}

/// How to load the small model, whichever engine runs it.
#[derive(Clone, Debug)]
pub struct ModelOptions {
    /// Which one does.
    pub engine: EngineChoice,
    /// What mistral.rs wants to know.
    pub mistral: EngineOptions,
    /// What llama.cpp wants to know.
    pub llama: LlamaOptions,
    /// Who may run and wait.
    pub limits: SlotLimits,
    /// An end-of-turn token of the model.
    pub stop: TokenId,
    /// Tokens it holds, as far as its own files say.
    pub context_length: Option<usize>,
}

/// Loads the model at `source`.
///
/// # Errors
/// A [`LocalError`] naming the setting.
pub async fn start(source: &ModelSource, options: &ModelOptions) -> Result<Arc<dyn LocalModel>, LocalError> {
    let is_gguf = source.gguf().is_some();
    let llama = match options.engine {
        EngineChoice::Auto => is_gguf && cfg!(feature = "llamacpp"),
        EngineChoice::MistralRs => false,
        EngineChoice::LlamaCpp => true,
    };
    if llama {
        return llamacpp(source, options).await;
    }
    if is_gguf {
        tracing::info!(
            "mistral.rs runs this GGUF file; llama.cpp (cargo feature llamacpp, local.engine) would hold it once instead of \
             twice a session, remember prompts and check several tokens at once"
        );
    }
    let pool = SlotPool::load(
        source,
        &options.mistral,
        options.limits,
        options.stop,
        options.context_length,
    );
    Ok(Arc::new(pool.await?))
}

#[cfg(feature = "llamacpp")]
async fn llamacpp(source: &ModelSource, options: &ModelOptions) -> Result<Arc<dyn LocalModel>, LocalError> {
    Ok(super::llamacpp::load(source, &options.llama, options.limits).await?)
}

#[cfg(not(feature = "llamacpp"))]
async fn llamacpp(_source: &ModelSource, _options: &ModelOptions) -> Result<Arc<dyn LocalModel>, LocalError> {
    Err(LocalError::Source {
        setting: "local.engine",
        value: "llamacpp".into(),
        reason: "this binary was built without it; build it with --features llamacpp".into(),
    })
}
