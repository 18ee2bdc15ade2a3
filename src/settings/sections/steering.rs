use serde::Deserialize;

use crate::decode::{BypassMode, BypassRule, Exactness, Reasoning, Tools};
use crate::steering::{Ftrl, Strength};

/// `[steering]`: the rule.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steering {
    /// T
    pub iterations: u32,
    /// α
    pub alpha: f64,
    /// β
    pub beta: f64,
    /// λ
    pub lambda: f64,
    /// η
    pub eta: f64,
    /// Replaces the five numbers.
    pub strength: Option<f64>,
    /// ε
    pub delta_floor: f64,
    /// Relative to the likeliest candidate.
    pub plausibility: f64,
    /// Nats; 0 is no cap.
    pub max_shift: f64,
    /// What to do about tokens the upstream does not list.
    pub exactness: Exactness,
    /// Whether steering is bypassed where the upstream is sure of itself.
    pub bypass: BypassMode,
    /// 1 − max p_LLM of a confident position is below it.
    pub bypass_threshold: f64,
    /// Confident positions in a row.
    pub bypass_positions: u32,
    /// What is done about the thoughts of a model that thinks.
    pub reasoning: Reasoning,
    /// What is steered of an answer that calls tools.
    pub tools: Tools,
    /// End the answer where the upstream's end of turn is likelier than this; 0 is never.
    pub forced_stop: f64,
    /// What to do with requests that cannot be steered.
    pub on_unsteerable: OnUnsteerable,
    /// Tokens.
    pub max_tokens: usize,
    /// Answers of one request.
    pub max_answers: usize,
}

impl Steering {
    /// The mode and the numbers of a bypass together.
    pub fn bypass(&self) -> BypassRule {
        BypassRule {
            mode: self.bypass,
            threshold: self.bypass_threshold,
            positions: self.bypass_positions,
        }
    }

    /// The probability of an end of turn above which an answer ends; `None` where steering alone decides.
    pub fn forced_stop(&self) -> Option<f64> {
        Some(self.forced_stop).filter(|least| *least > 0.0)
    }

    /// The strength that `strength` or the five numbers amount to; `None` when out of range.
    pub fn default_strength(&self) -> Option<Strength> {
        match self.strength {
            Some(value) => Strength::new(value),
            None => Ftrl {
                iterations: self.iterations,
                alpha: self.alpha,
                beta: self.beta,
                lambda: self.lambda,
                eta: self.eta,
            }
            .strength(),
        }
    }
}

/// What to do with a request that has a private context but cannot be steered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnsteerable {
    /// Refuse it, naming the field.
    Error,
    /// Forward it without the context, naming the field in a header.
    Pass,
}
