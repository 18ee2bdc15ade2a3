use std::sync::OnceLock;

use crate::steering::log_sum_exp;
use crate::vocabulary::TokenId;

/// What one branch said about its next token.
pub struct Logits {
    /// As the model gave them, shape `[local vocabulary]`.
    pub(super) raw: Vec<f32>,
    normaliser: OnceLock<f64>,
}

impl Logits {
    /// Of these logits.
    pub fn new(raw: Vec<f32>) -> Self {
        Self {
            raw,
            normaliser: OnceLock::new(),
        }
    }

    /// ln Σ exp of them. It takes an exponential for each, and many positions do without it.
    pub(super) fn normaliser(&self) -> f64 {
        *self.normaliser.get_or_init(|| log_sum_exp(&self.raw))
    }

    /// A token's logit; −∞ for one that the model does not know.
    pub(super) fn logit(&self, id: TokenId) -> f32 {
        self.raw.get(id.index()).copied().unwrap_or(f32::NEG_INFINITY)
    }

    /// ln of a token's probability.
    pub(super) fn logprob(&self, id: TokenId) -> f64 {
        f64::from(self.logit(id)) - self.normaliser()
    }
}

/// What one branch says about the upstream's next token where bytes are pending.
pub struct ProjectedLogits {
    /// ln of probabilities up to a constant, shape `[upstream vocabulary]`. Tokens about which nothing is known get that constant.
    pub logits: Vec<f32>,
    /// The constant.
    pub normaliser: f64,
}
