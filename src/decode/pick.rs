use crate::steering::{Candidate, Candidates, Delta, Doubt, Policy, Rule, Sampling, doubtful};
use crate::upstream::Position;
use crate::vocabulary::TokenId;

/// What to do about tokens that the upstream did not list and that might have been picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exactness {
    /// Nothing; not even look for them.
    Off,
    /// Count the positions where there are any.
    Certify,
    /// Ask the upstream for longer and longer lists, until the pick is that of the whole vocabulary. The upstream learns
    /// at which positions.
    Refetch,
    /// The same, asking for the tokens in doubt by id: fewer bytes, but those are the tokens the private context pulls at,
    /// and the upstream learns which they are.
    RefetchIds,
}

/// Everything that turns a position's numbers into a token.
#[derive(Clone, Copy)]
pub struct Chooser<'a> {
    pub rule: &'a Rule,
    pub sampling: &'a Sampling,
    pub exactness: Exactness,
    /// Tokens that may be picked, shape `[vocabulary]`.
    pub selectable: &'a [bool],
    /// Number of the position; 0 is the first of the answer.
    pub position: u64,
}

/// A pick, and what might stand against it.
pub struct Pick {
    pub token: TokenId,
    /// Tokens that might have been picked instead, the likeliest to matter first: all of them where they are asked for by
    /// id, otherwise one of them, and none where exactness is off.
    pub doubts: Vec<Doubt>,
}

impl Chooser<'_> {
    /// The pick among `candidates`; `None` when none of them may be picked.
    pub fn pick(&self, candidates: &Candidates, delta: &Delta<'_>) -> Option<Pick> {
        let policy = Policy::new(candidates, delta, self.rule, self.selectable);
        let chosen = self.sampling.pick(&policy, self.position)?;
        let wanted = match self.exactness {
            Exactness::Off => 0,
            // Which they are matters only where they are asked for.
            Exactness::Certify | Exactness::Refetch => 1,
            Exactness::RefetchIds => usize::MAX,
        };
        let mut doubts = Vec::new();
        if wanted > 0 {
            let hurdle = self.sampling.hurdle(&policy, self.position);
            doubts.extend(doubtful(&hurdle, candidates, delta, self.rule, self.selectable).take(wanted));
            doubts.sort_unstable_by(|left, right| right.at_most.total_cmp(&left.at_most));
        }
        Some(Pick {
            token: token_of(chosen.candidate.index),
            doubts,
        })
    }
}

/// The upstream's list in the terms of steering.
pub fn listed(position: &Position) -> Candidates {
    Candidates::new(position.candidates.iter().map(candidate).collect())
}

/// One entry of it.
pub fn candidate((id, logprob): &(TokenId, f64)) -> Candidate {
    Candidate {
        index: id.index(),
        logprob: *logprob,
    }
}

/// Candidates come from ids, so their index fits one.
pub fn token_of(index: usize) -> TokenId {
    TokenId(u32::try_from(index).unwrap_or(u32::MAX))
}
