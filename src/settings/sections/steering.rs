use serde::Deserialize;

use crate::decode::{BypassMode, BypassRule, Exactness, Reasoning, Tools};
use crate::steering::{Ftrl, Strength};

/// `[steering]`: the rule.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steering {
    /// Where the strength comes from if nothing below says so.
    pub preset: Preset,
    /// c
    pub strength: Option<f64>,
    /// T
    pub iterations: Option<u32>,
    /// α
    pub alpha: Option<f64>,
    /// β
    pub beta: Option<f64>,
    /// λ
    pub lambda: Option<f64>,
    /// η
    pub eta: Option<f64>,
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

    /// The strength that `strength`, the five numbers or the preset amount to; `None` when out of range.
    pub fn default_strength(&self) -> Option<Strength> {
        if let Some(value) = self.strength {
            return Strength::new(value);
        }
        let numbers = [self.alpha, self.beta, self.lambda, self.eta];
        let has_numbers = self.iterations.is_some() || numbers.iter().any(Option::is_some);
        if self.preset != Preset::Paper && !has_numbers {
            return Strength::new(USUAL);
        }
        let paper = Ftrl::PAPER;
        let ftrl = Ftrl {
            iterations: self.iterations.unwrap_or(paper.iterations),
            alpha: self.alpha.unwrap_or(paper.alpha),
            beta: self.beta.unwrap_or(paper.beta),
            lambda: self.lambda.unwrap_or(paper.lambda),
            eta: self.eta.unwrap_or(paper.eta),
        };
        ftrl.strength()
    }
}

/// The strength where nothing is set: log p_LLM + Δ is log p_private where both sides are one model.
const USUAL: f64 = 1.0;

/// Where the strength comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// It is 1.
    #[serde(rename = "")]
    Usual,
    /// What the paper's five numbers come to.
    Paper,
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
