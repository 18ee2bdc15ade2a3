use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use super::{LocalError, Owner};
use crate::vocabulary::TokenId;

/// A small model that can run sessions, each of two branches.
pub trait LocalModel: Send + Sync {
    /// Waits for a slot, which is free again when it and what was opened on it are dropped. What it computes is remembered for
    /// `owner` alone.
    ///
    /// # Errors
    /// [`LocalError::Busy`] when none came free within the configured bounds.
    fn slot(&self, owner: Owner) -> BoxFuture<'_, Result<Arc<dyn Slot>, LocalError>>;

    /// A slot that is free now and that nobody waits for.
    fn free_slot(&self, owner: Owner) -> Option<Arc<dyn Slot>>;

    /// Tokens one branch can hold, prompt and answer together.
    fn context_length(&self) -> usize;

    /// What computes, for people to read: the engine, its threads, its number formats.
    fn description(&self) -> String;
}

/// Room for one session at a time. No other request gets it in between, so a prompt that is opened again is not computed again where
/// the engine can go back.
pub trait Slot: Send + Sync {
    /// Opens the two branches of a session on these prompts, of at least one token each, and starts computing at once, or when
    /// the session before it has ended.
    ///
    /// # Errors
    /// A [`LocalError`] when the model refuses.
    fn open<'a>(
        self: Arc<Self>,
        public: &'a [TokenId],
        private: &'a [TokenId],
    ) -> BoxFuture<'a, Result<Box<dyn BranchPair>, LocalError>>;
}

/// The two branches of one session: two sequences of tokens that begin with the two prompts and go on with the same answer.
pub trait BranchPair: Send {
    /// Appends `tokens` to both branches and starts computing. The logits after each of the last `rows` tokens, at least one, can
    /// be waited for with [`Self::logits`]; the last token of the prompts counts as one until something comes after it. Logits
    /// of an earlier call that were not waited for are dropped.
    fn extend(&mut self, tokens: &[TokenId], rows: usize);

    /// Waits for the next logits of the last [`Self::extend`]: of one position at least. Where an engine has computed only some of
    /// them, because others wait too, the rest comes with the next calls. It can be given up and called again.
    ///
    /// # Errors
    /// A [`LocalError`] when the engine failed; the pair is of no more use then.
    fn logits(&mut self) -> BoxFuture<'_, Result<Rows, LocalError>>;

    /// Forgets all but the first `answer` tokens after the prompts. Logits that have not been waited for are dropped.
    fn truncate(&mut self, answer: usize);

    /// The most positions worth computing in one pass. It is 1 where the engine cannot go back: nothing must be appended then
    /// that is not certain.
    fn max_block(&self) -> usize;
}

/// What the branches say about consecutive positions.
pub struct Rows {
    /// One entry a position, the first one first.
    pub positions: Vec<PairLogits>,
    /// How long the engine computed since the last time.
    pub compute: Duration,
}

/// What the two branches say about one position: raw logits, each of shape `[vocabulary]` (padding rows included).
pub struct PairLogits {
    /// Of the branch that sees what the upstream sees.
    pub public: Vec<f32>,
    /// Of the branch that also sees the private context.
    pub private: Vec<f32>,
}
