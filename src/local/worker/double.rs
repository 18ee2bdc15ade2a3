use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::backend::{Backend, Kind, Pass, Run, SequenceId, Shape};
use crate::vocabulary::TokenId;

/// An engine whose logits are a hash of all tokens before them and of the kind of run that each was computed in. It refuses what a
/// real one would compute wrongly.
pub struct Double {
    shape: Shape,
    held: Vec<Vec<Computed>>,
    /// Passes with this token fail.
    pub poison: Option<TokenId>,
    pub counts: Counts,
}

/// What it has done so far.
#[derive(Clone, Default)]
pub struct Counts {
    /// Tokens it has computed.
    pub computed: Arc<AtomicUsize>,
    /// How often a pass had sequences beside each other that are no neighbours. llama.cpp computes a pass anew from there.
    pub apart: Arc<AtomicUsize>,
}

/// A token, and how it was computed.
pub type Computed = (TokenId, Kind);

pub const VOCABULARY: usize = 5;

impl Double {
    pub fn new(shape: Shape) -> Self {
        Self {
            held: vec![Vec::new(); shape.sequences],
            poison: None,
            counts: Counts::default(),
            shape,
        }
    }
}

/// What the engine says after these tokens.
pub fn logits(tokens: &[Computed]) -> Vec<f32> {
    let mut hash = 1u64;
    for (token, kind) in tokens {
        hash = hash.wrapping_add((*kind == Kind::Answer).into());
        hash = (hash ^ u64::from(token.0))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(23);
    }
    (0..VOCABULARY)
        .map(|index| (hash >> (8 * index) & 0xff) as f32)
        .collect()
}

impl Backend for Double {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn forward(&mut self, pass: &Pass) -> Result<Vec<Vec<f32>>, String> {
        let length = pass.runs.first().map_or(0, |run| run.tokens.len());
        let (least, most) = match pass.kind {
            Kind::Prompt => (self.shape.least.prompt, self.shape.batch),
            Kind::Answer => (self.shape.least.answer, self.shape.most_answer),
        };
        assert!((least..=most).contains(&length), "a run of {length}");
        assert!(length * pass.runs.len() <= self.shape.batch, "more than a batch");
        assert!(pass.runs.is_sorted_by(|left, right| left.sequence < right.sequence));
        if pass
            .runs
            .iter()
            .any(|run| run.tokens.iter().any(|token| Some(*token) == self.poison))
        {
            return Err("poisoned".into());
        }
        let tokens = pass.runs.iter().map(|run| run.tokens.len()).sum();
        self.counts.computed.fetch_add(tokens, Ordering::Relaxed);
        let neighbours = |pair: &[Run]| pair[0].sequence.0 + 1 == pair[1].sequence.0;
        let apart = pass.runs.windows(2).filter(|pair| !neighbours(pair)).count();
        self.counts.apart.fetch_add(apart, Ordering::Relaxed);
        let mut rows = Vec::new();
        for run in &pass.runs {
            assert_eq!(run.tokens.len(), length, "runs of different length");
            let held = &mut self.held[run.sequence.0];
            assert_eq!(held.len(), run.start, "a hole, or something in the way");
            for (offset, token) in run.tokens.iter().enumerate() {
                held.push((*token, pass.kind));
                assert!(held.len() <= self.shape.length + 64, "too long");
                if run.rows.contains(&offset) {
                    rows.push(logits(held));
                }
            }
        }
        Ok(rows)
    }

    fn truncate(&mut self, sequence: SequenceId, length: usize) -> Result<(), String> {
        let held = &mut self.held[sequence.0];
        assert!(
            self.shape.rolls_back || length == 0 || length >= held.len(),
            "it cannot go back"
        );
        held.truncate(length);
        Ok(())
    }

    fn copy(&mut self, from: SequenceId, to: SequenceId) -> Result<(), String> {
        self.held[to.0] = self.held[from.0].clone();
        Ok(())
    }

    fn settle(&mut self, empty: SequenceId) -> Result<(), String> {
        assert!(self.held[empty.0].is_empty());
        Ok(())
    }
}
