use crate::steering::{
    Adjustments, Candidate, Candidates, Delta, Policy, Rule, Sampling, Scored, Scorer, Uncertain, Weighed,
};
use crate::upstream::Position;
use crate::vocabulary::TokenId;

/// What to do about tokens that the upstream did not list and that might have been picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exactness {
    /// Do not look for them.
    Off,
    /// Count the positions where there are any.
    Certify,
    /// Ask the upstream for longer and longer lists, until the pick is that of the whole vocabulary. The upstream learns
    /// at which positions.
    Refetch,
    /// The same, asking for the uncertain tokens by id: fewer bytes, but those are the tokens the private context pulls at,
    /// and the upstream learns which they are.
    RefetchIds,
}

/// Everything that turns a position's numbers into a token.
#[derive(Clone, Copy)]
pub struct Chooser<'a> {
    pub rule: &'a Rule,
    pub sampling: &'a Sampling,
    pub adjustments: &'a Adjustments,
    pub exactness: Exactness,
    /// How many of the policy's best tokens to list beside the pick; `None` where the request asks for none.
    pub list: Option<usize>,
    /// Whether to weigh all candidates, for a trace.
    pub traced: bool,
    /// Tokens that may be picked, shape `[vocabulary]`.
    pub selectable: &'a [bool],
    /// Number of the position; 0 is the first of the answer.
    pub position: u64,
}

/// A pick, and what might stand against it.
pub struct Pick {
    pub token: TokenId,
    /// Tokens that might have been picked instead, the highest possible score first. All of them are here where they are asked
    /// for by id, otherwise one, and none where exactness is off.
    pub uncertain: Vec<Uncertain>,
    /// The uncertain tokens that the client itself has raised by a bias or a penalty, found with every exactness. The client has
    /// named them, so asking the upstream for them tells it nothing private.
    pub raised: Vec<TokenId>,
    /// What the policy thought of it, where that was asked for.
    pub listing: Option<Listing>,
    /// What it was picked from, where that was asked for.
    pub weighed: Vec<Weighed>,
}

/// The steered policy at a position, before temperature, over the tokens whose ln p_LLM is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// ln of the picked token's probability.
    pub logprob: f64,
    /// The likeliest tokens with theirs, likeliest first.
    pub best: Vec<(TokenId, f64)>,
}

impl Chooser<'_> {
    /// The pick among `candidates`; `None` when none of them may be picked.
    pub fn pick(&self, candidates: &Candidates, delta: &Delta<'_>) -> Option<Pick> {
        let scorer = Scorer {
            candidates,
            delta,
            rule: self.rule,
            adjustments: self.adjustments,
            selectable: self.selectable,
        };
        let policy = scorer.policy();
        let chosen = self.sampling.pick(&policy, self.position)?;
        let raised = self.adjustments.raised();
        // Raised tokens come first.
        let found = || scorer.uncertain(&policy, self.sampling, self.position);
        let mut uncertain: Vec<Uncertain> = match self.exactness {
            Exactness::Off if raised.is_empty() => Vec::new(),
            Exactness::Off => found().take_while(|token| raised.contains(&token.index)).collect(),
            // One is enough to know that the pick is not certified.
            Exactness::Certify | Exactness::Refetch => found().take(raised.len().max(1)).collect(),
            Exactness::RefetchIds => found().collect(),
        };
        let mut raised: Vec<TokenId> = uncertain
            .iter()
            .filter(|token| raised.contains(&token.index))
            .map(|token| token_of(token.index))
            .collect();
        raised.sort_unstable();
        if self.exactness == Exactness::Off {
            uncertain.clear();
        }
        uncertain.sort_unstable_by(|left, right| right.at_most.total_cmp(&left.at_most));
        Some(Pick {
            token: token_of(chosen.candidate.index),
            uncertain,
            raised,
            listing: self.list.map(|count| listing(&policy, chosen, count)),
            weighed: if self.traced {
                scorer.weighed(&policy, self.sampling, self.position)
            } else {
                Vec::new()
            },
        })
    }
}

fn listing(policy: &Policy, chosen: &Scored, count: usize) -> Listing {
    let logprobs = policy.log_policy();
    let all = policy.scored().iter().zip(&logprobs);
    let of_the_chosen = all
        .clone()
        .find(|(scored, _)| scored.candidate.index == chosen.candidate.index);
    Listing {
        logprob: of_the_chosen.map_or(f64::NEG_INFINITY, |(_, logprob)| *logprob),
        best: all
            .take(count)
            .map(|(scored, logprob)| (token_of(scored.candidate.index), *logprob))
            .collect(),
    }
}

/// What the upstream offers at a position, in the terms of steering.
pub fn offered(position: &Position) -> Candidates {
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
