use crate::steering::log_sum_exp;
use crate::vocabulary::TokenId;

/// What one branch said about its next token.
pub struct Logits {
    /// As the model gave them, shape `[local vocabulary]`.
    pub(super) raw: Vec<f32>,
    /// ln Σ exp of them.
    pub(super) normaliser: f64,
}

impl Logits {
    /// Of these logits.
    pub fn new(raw: Vec<f32>) -> Self {
        Self {
            normaliser: log_sum_exp(&raw),
            raw,
        }
    }

    /// A token's logit; −∞ for one that the model does not know.
    pub(super) fn logit(&self, id: TokenId) -> f32 {
        self.raw.get(id.index()).copied().unwrap_or(f32::NEG_INFINITY)
    }

    /// ln of a token's probability.
    pub(super) fn logprob(&self, id: TokenId) -> f64 {
        f64::from(self.logit(id)) - self.normaliser
    }
}

/// What one branch says about the upstream's next token: its [`Logits`], projected onto the upstream's vocabulary.
pub struct ProjectedLogits {
    /// ln of probabilities up to a constant, shape `[upstream vocabulary]`. Tokens about which nothing is known get that constant.
    pub logits: Vec<f32>,
    /// The constant.
    pub normaliser: f64,
}
