use zeroize::Zeroizing;

use crate::vocabulary::TokenId;

/// One of the sequences of tokens that an engine holds, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SequenceId(pub usize);

/// An engine with an open KV cache. It holds a fixed number of sequences and computes several of them in one pass.
///
/// Its promise: what is computed depends on the tokens of a sequence and on the [`Kind`] of run that
/// each was computed in, as long as runs are as long as [`Shape`] wants them. Kernels for many tokens round otherwise than those for few.
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
    /// Tokens a run of each kind has at least; shorter ones are filled up with tokens that are forgotten again.
    pub least: RunLength,
    /// Tokens a run of an answer has at most.
    pub most_answer: usize,
    /// Whether [`Backend::truncate`] can forget a part of a sequence, and not only all of it.
    pub rolls_back: bool,
    /// Memory a token takes.
    pub token_bytes: usize,
}

/// What a run belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A prompt, but for its last token.
    Prompt,
    /// An answer, with the prompt's last token before it.
    Answer,
}

/// A number of tokens for each kind of run.
#[derive(Clone, Copy, Debug)]
pub struct RunLength {
    /// For prompts.
    pub prompt: usize,
    /// For answers.
    pub answer: usize,
}

/// What to compute at once. All runs are of the same length and of different sequences, in rising order.
#[derive(Debug)]
pub struct Pass {
    /// Which kind of run they are.
    pub kind: Kind,
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
    pub tokens: Zeroizing<Vec<TokenId>>,
    /// The logits after the tokens of this range of [`Self::tokens`] are wanted.
    pub rows: std::ops::Range<usize>,
}
