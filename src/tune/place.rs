use serde::{Deserialize, Serialize};

/// A position of an answer that the upstream gave with the context in its prompt, and all that steering without it there depends on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// What the upstream lists without the context and may be picked, likeliest first.
    pub listed: Vec<Listed>,
    /// How Δ is spread over all other tokens, for each floor.
    pub rest: Vec<Vec<Share>>,
    /// Which of `listed` the answer has here; `None` where it is not among them.
    pub answer: Option<usize>,
}

/// A listed token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// ln of its probability at the upstream without the context.
    pub plain: f64,
    /// The same with the context; `None` where it is not listed there.
    pub wanted: Option<f64>,
    /// Δ for each floor.
    pub delta: Vec<f64>,
}

/// A part of what is not listed: how much of it, and its mean Δ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share(pub f64, pub f64);

impl Share {
    /// How much of what is not listed.
    pub fn mass(&self) -> f64 {
        self.0
    }

    /// Its mean Δ.
    pub fn delta(&self) -> f64 {
        self.1
    }
}

/// Of one question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its number in the set.
    pub question: usize,
    /// The positions of its answer.
    pub places: Vec<Place>,
    /// What it cost.
    pub cost: Cost,
}

/// What asking cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Requests to the upstream.
    pub requests: usize,
    /// Tokens of their prompts. Most of them are in the server's cache.
    pub prompt_tokens: usize,
    /// Tokens that the upstream wrote and that were read.
    pub written_tokens: usize,
    /// Positions that the small model computed twice, once with the context.
    pub local_positions: usize,
    /// Tokens of its two prompts.
    pub local_prompt_tokens: usize,
    /// How long all of it took.
    pub seconds: f64,
}
