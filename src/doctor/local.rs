use std::time::Instant;

use super::check::Check;
use super::sample::sample;
use crate::local::{LocalError, LocalModel};
use crate::service::{Vocabularies, load_slots};
use crate::settings::Settings;

/// Tokens computed to measure the pace.
const STEPS: usize = 8;

/// Whether the small model loads and computes, and how fast.
pub async fn examine(settings: &Settings, vocabularies: &Vocabularies) -> Vec<Check> {
    let name = "local model";
    let loading = Instant::now();
    let slots = match load_slots(settings, vocabularies).await {
        Ok(slots) => slots,
        Err(error) => {
            return vec![Check::failed(
                name,
                error.to_string(),
                "set local.model to a model that loads",
            )];
        }
    };
    let loaded = loading.elapsed().as_secs_f64();
    let mut checks = vec![Check::ok(
        name,
        format!(
            "{} loads in {loaded:.1} s and holds {} tokens",
            settings.local.model,
            slots.context_length()
        ),
    )];
    let prompt = vocabularies.local.chat_prompt(&sample()).unwrap_or_default();
    checks.push(match pace(&slots, &prompt).await {
        Ok(seconds) => Check::ok(
            "local pace",
            format!(
                "{:.1} ms a token for both branches, {:.0} tokens a second",
                1e3 * seconds,
                1.0 / seconds
            ),
        ),
        Err(error) => Check::failed(
            "local pace",
            error.to_string(),
            "try another local.dtype or local.device",
        ),
    });
    checks
}

/// Seconds a step of both branches takes.
async fn pace(slots: &impl LocalModel, prompt: &[crate::vocabulary::TokenId]) -> Result<f64, LocalError> {
    let mut branches = slots.slot().await?.open(prompt, prompt).await?;
    branches.logits().await?;
    let start = Instant::now();
    for token in prompt.iter().cycle().take(STEPS) {
        branches.feed(&[*token]);
        branches.logits().await?;
    }
    Ok(start.elapsed().as_secs_f64() / STEPS as f64)
}
