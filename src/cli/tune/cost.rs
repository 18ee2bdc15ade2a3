use serde::Serialize;

use crate::tune::{Cost, Record};

/// What is left to do, going by what was done.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Left {
    /// Questions to ask.
    pub questions: usize,
    /// What that costs.
    #[serde(flatten)]
    pub cost: Cost,
}

impl Left {
    /// For `questions` more that cost what those in `records` did on the average.
    pub fn of(records: &[Record], questions: usize) -> Self {
        let share = questions as f64 / records.len().max(1) as f64;
        let sum = |part: fn(&Cost) -> f64| share * records.iter().map(|record| part(&record.cost)).sum::<f64>();
        let count = |part: fn(&Cost) -> f64| sum(part).ceil() as usize;
        let cost = Cost {
            requests: count(|cost| cost.requests as f64),
            prompt_tokens: count(|cost| cost.prompt_tokens as f64),
            written_tokens: count(|cost| cost.written_tokens as f64),
            local_positions: count(|cost| cost.local_positions as f64),
            local_prompt_tokens: count(|cost| cost.local_prompt_tokens as f64),
            seconds: sum(|cost| cost.seconds),
        };
        Self { questions, cost }
    }

    /// The same for people to read.
    pub fn sentence(&self) -> String {
        let Self { questions, cost } = self;
        format!(
            "{questions} questions are left: about {} requests to the upstream, with prompts of {} tokens in all (most of them are in its \
             cache) and {} tokens that it writes; the small model reads {} tokens and computes {} positions. That takes about {}.",
            cost.requests,
            cost.prompt_tokens,
            cost.written_tokens,
            cost.local_prompt_tokens,
            cost.local_positions,
            duration(cost.seconds)
        )
    }
}

fn duration(seconds: f64) -> String {
    if seconds < 90.0 {
        format!("{seconds:.0} seconds")
    } else {
        format!("{:.0} minutes", seconds / 60.0)
    }
}
