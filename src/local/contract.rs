use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use super::LocalError;
use crate::vocabulary::TokenId;

/// A small model that can run sessions, each of two branches.
pub trait LocalModel: Send + Sync {
    /// Waits for a slot, which is free again when it and what was opened on it are dropped.
    ///
    /// # Errors
    /// [`LocalError::Busy`] when none came free within the configured bounds.
    fn slot(&self) -> BoxFuture<'_, Result<Arc<dyn Slot>, LocalError>>;

    /// Tokens one branch can hold, prompt and answer together.
    fn context_length(&self) -> usize;
}

/// Holds the two engines for sessions that run one after the other; no other session gets them in between.
pub trait Slot: Send + Sync {
    /// Opens the two branches of a session on these prompts and starts computing at once, or when the session before it
    /// has ended.
    ///
    /// # Errors
    /// A [`LocalError`] when the model refuses.
    fn open<'a>(
        self: Arc<Self>,
        public: &'a [TokenId],
        private: &'a [TokenId],
    ) -> BoxFuture<'a, Result<Box<dyn BranchPair>, LocalError>>;
}

/// The two branches of one session.
pub trait BranchPair: Send {
    /// Waits for both branches' logits at the next position.
    ///
    /// Call it once after opening and once after each [`Self::feed`].
    ///
    /// # Errors
    /// A [`LocalError`] when an engine failed; the pair is of no more use then.
    fn logits(&mut self) -> BoxFuture<'_, Result<PairLogits, LocalError>>;

    /// Appends picked tokens, at least one, to both branches, which start computing the position after them at once.
    fn feed(&mut self, tokens: &[TokenId]);
}

/// What the two branches say about one position.
pub struct PairLogits {
    /// The branch that sees what the upstream sees.
    pub public: BranchLogits,
    /// The branch that also sees the private context.
    pub private: BranchLogits,
}

/// What one branch says about one position.
pub struct BranchLogits {
    /// Raw logits, shape `[vocabulary]` (padding rows included).
    pub logits: Vec<f32>,
    /// How long the engine computed for them.
    pub compute: Duration,
}
