use std::time::Duration;

use super::certainty::Picking;
use super::phases::Phase;
use super::pick::token_of;
use super::time::TimeSplit;
use crate::steering::Weighed;
use crate::vocabulary::TokenId;

/// Everything that made one pick, so that it can be looked at and repeated. It is as private as the context, because Δ reveals the context.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Number of the position; 0 is the first of the answer.
    pub position: u64,
    /// What was picked.
    pub token: TokenId,
    /// The upstream's own likeliest token there.
    pub upstream_best: TokenId,
    /// How it was picked.
    pub picking: Picking,
    /// What it belongs to, as far as that is certain with it.
    pub phase: Phase,
    /// The request of the session that the position came with, counted from 1.
    pub request: u64,
    /// The first [`MOST_CANDIDATES`], best first, and after them the pick and the upstream's likeliest token where they rank
    /// lower.
    pub candidates: Vec<(TokenId, Weighed)>,
    /// From the start of the session to the pick.
    pub at: Duration,
    /// What this position took of the session's time.
    pub time: TimeSplit,
}

/// Candidates of one position that a trace lists. An upstream may list its whole vocabulary.
pub const MOST_CANDIDATES: usize = 100;

/// The first of `candidates`, and after them those of `kept` that are not among the first.
pub fn shortened(candidates: Vec<Weighed>, kept: &[TokenId]) -> Vec<(TokenId, Weighed)> {
    let candidates = candidates.into_iter().enumerate();
    candidates
        .map(|(rank, one)| (rank, token_of(one.candidate.index), one))
        .filter(|(rank, id, _)| *rank < MOST_CANDIDATES || kept.contains(id))
        .map(|(_, id, one)| (id, one))
        .collect()
}
