use crate::vocabulary::TokenId;

/// One of the sequences of tokens that an engine holds, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SequenceId(pub usize);

/// An engine with an open KV cache. It holds a fixed number of sequences and computes several of them in one pass.
///
/// Its promise: the logits after a token depend on the tokens of its sequence alone, not on the pass that computed them, as
/// long as every [`Run`] has at least [`Shape::least_run`] tokens.
pub trait Backend {
    /// What it can do.
    fn shape(&self) -> Shape;

    /// Computes `pass` and gives the logits after the tokens that it asks for, run by run.
    ///
    /// # Errors
    /// The engine's own words. What the sequences of the pass hold is not known then.
    fn forward(&mut self, pass: &Pass) -> Result<Vec<Vec<f32>>, String>;

    /// Forgets all but the first `length` tokens of a sequence.
    ///
    /// # Errors
    /// The engine's own words.
    fn truncate(&mut self, sequence: SequenceId, length: usize) -> Result<(), String>;

    /// Replaces what `to` holds by what `from` holds. The memory of `to` is overwritten, so a copy of an empty sequence wipes it.
    ///
    /// # Errors
    /// The engine's own words.
    fn copy(&mut self, from: SequenceId, to: SequenceId) -> Result<(), String>;

    /// Carries out copies that would otherwise wait for the next pass. `empty` is a sequence that holds nothing and stays so.
    ///
    /// # Errors
    /// The engine's own words.
    fn settle(&mut self, empty: SequenceId) -> Result<(), String>;
}

/// The bounds of a [`Backend`].
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Sequences it holds.
    pub sequences: usize,
    /// Tokens each of them can hold.
    pub length: usize,
    /// Tokens of one pass, of all runs together.
    pub batch: usize,
    /// Tokens a run has at least; shorter ones are filled up with tokens that are forgotten again.
    pub least_run: usize,
    /// Whether [`Backend::truncate`] can forget a part of a sequence, and not only all of it.
    pub rolls_back: bool,
    /// Memory a token takes.
    pub token_bytes: usize,
}

/// What to compute at once. All runs are of the same length and of different sequences, in rising order.
#[derive(Debug, Default)]
pub struct Pass {
    /// One entry a sequence.
    pub runs: Vec<Run>,
}

/// Consecutive tokens of one sequence.
#[derive(Debug)]
pub struct Run {
    /// The sequence.
    pub sequence: SequenceId,
    /// How many tokens it holds already.
    pub start: usize,
    /// What to append.
    pub tokens: Vec<TokenId>,
    /// The logits after the tokens of this range of [`Self::tokens`] are wanted.
    pub rows: std::ops::Range<usize>,
}
