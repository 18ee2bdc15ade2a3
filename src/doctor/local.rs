use std::time::{Duration, Instant};

use super::check::Check;
use super::sample::sample;
use crate::local::{BranchPair, LocalError, LocalModel, Owner};
use crate::service::{Vocabularies, load_model};
use crate::settings::Settings;
use crate::vocabulary::TokenId;

/// Tokens computed to measure the pace.
const STEPS: usize = 8;
/// Positions of the block that is measured, where the engine takes that many.
const BLOCK: usize = 4;
/// Tokens of the prompt that is measured, as far as the model holds that many.
const PROMPT: usize = 256;

/// What was measured.
struct Pace {
    /// Tokens of prompts that are computed in a second.
    prompt: f64,
    /// A position of both branches, one at a time.
    one: Duration,
    /// A position of both branches in a block, and how many positions that has.
    block: Option<(usize, Duration)>,
}

/// Whether the small model loads and computes, with what, and how fast.
pub async fn examine(settings: &Settings, vocabularies: &Vocabularies) -> Vec<Check> {
    let name = "local model";
    let loading = Instant::now();
    let model = match load_model(settings, vocabularies).await {
        Ok(model) => model,
        Err(error) => {
            return vec![Check::failed(
                name,
                error.to_string(),
                "set local.model to a model that loads",
            )];
        }
    };
    let loaded = loading.elapsed().as_secs_f64();
    let holds = format!(
        "{} loads in {loaded:.1} s and holds {} tokens",
        settings.local.model,
        model.context_length()
    );
    let mut checks = vec![Check::ok(name, holds), Check::ok("local engine", model.description())];
    let prompt = vocabularies.local.chat_prompt(&sample()).unwrap_or_default();
    let budget = settings.context.budget.min(model.context_length());
    checks.push(match measure(&*model, &prompt).await {
        Ok(pace) => Check::ok("local pace", pace.describe(budget)),
        Err(error) => Check::failed(
            "local pace",
            error.to_string(),
            "try another local.dtype or local.device",
        ),
    });
    checks
}

impl Pace {
    fn describe(&self, budget: usize) -> String {
        let milliseconds = |time: Duration| 1e3 * time.as_secs_f64();
        let mut text = format!(
            "prompts at {:.0} tokens a second, then {:.1} ms a token for both branches",
            self.prompt,
            milliseconds(self.one)
        );
        if let Some((positions, each)) = self.block {
            text.push_str(&format!(", {:.1} ms in blocks of {positions}", milliseconds(each)));
        }
        let first = budget as f64 / self.prompt;
        text.push_str(&format!(
            "; a context of {budget} tokens (context.budget) delays the first token by {first:.1} s"
        ));
        text
    }
}

async fn measure(model: &dyn LocalModel, prompt: &[TokenId]) -> Result<Pace, LocalError> {
    let length = PROMPT.min(model.context_length() / 2);
    let long: Vec<TokenId> = prompt.iter().cycle().take(length).copied().collect();
    let short: Vec<TokenId> = prompt.iter().take(2).copied().collect();
    let mut branches = model.slot(Owner::default()).await?.open(&short, &long).await?;
    let start = Instant::now();
    step(&mut *branches, &[], 1).await?;
    let prompt_rate = (short.len() + long.len()) as f64 / start.elapsed().as_secs_f64();
    let start = Instant::now();
    for token in prompt.iter().cycle().take(STEPS) {
        step(&mut *branches, &[*token], 1).await?;
    }
    let one = start.elapsed() / STEPS as u32;
    let positions = branches.max_block().min(BLOCK);
    let tokens: Vec<TokenId> = prompt.iter().cycle().take(positions).copied().collect();
    let start = Instant::now();
    if positions > 1 {
        for _ in 0..STEPS {
            step(&mut *branches, &tokens, positions).await?;
        }
    }
    let each = start.elapsed() / (STEPS * positions) as u32;
    Ok(Pace {
        prompt: prompt_rate,
        one,
        block: (positions > 1).then_some((positions, each)),
    })
}

async fn step(branches: &mut dyn BranchPair, tokens: &[TokenId], rows: usize) -> Result<(), LocalError> {
    branches.extend(tokens, rows);
    branches.logits().await.map(|_| ())
}
