use serde::Serialize;

use super::PrivateContext;

/// A private text that fits.
pub struct Composition {
    /// The text.
    pub context: PrivateContext,
    /// How many tokens the private branch's prompt has more than the public one's.
    pub tokens: usize,
    /// How many it was allowed to have.
    pub budget: usize,
    /// The documents that fitted the question.
    pub documents: Kept,
    /// The profile's facts.
    pub facts: Kept,
}

/// How many of what there was are in a [`Composition`]; the others were left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// How many there were.
    pub found: usize,
    /// How many are in it.
    pub kept: usize,
}

/// A [`Composition`] for its owner's eyes.
#[derive(Serialize)]
pub struct Preview<'a> {
    /// The private text.
    pub text: &'a str,
    /// As in [`Composition::tokens`].
    pub tokens: usize,
    /// As in [`Composition::budget`].
    pub budget: usize,
    /// As in [`Composition::documents`].
    pub documents: Kept,
    /// As in [`Composition::facts`].
    pub facts: Kept,
}

impl Composition {
    /// What it says, for its owner alone.
    pub fn preview(&self) -> Preview<'_> {
        Preview {
            text: self.context.preview(),
            tokens: self.tokens,
            budget: self.budget,
            documents: self.documents,
            facts: self.facts,
        }
    }
}
