use std::cmp::Ordering;
use std::sync::Arc;

use tokio::time::Instant;

use super::Session;
use crate::decode::certainty::Picking;
use crate::decode::error::DecodeError;
use crate::decode::phases::{Beginning, Phase, Step};
use crate::decode::pick::{Listing, Pick};
use crate::steering::{Candidate, Candidates, Delta, log_sum_exp};
use crate::structure::Allowed;
use crate::upstream::{CandidateQuery, Position};
use crate::vocabulary::TokenId;

/// Tokens that are asked for by id where the upstream lists none that the format allows.
const BY_ID: usize = 64;

/// Answers with a format: which tokens may be picked, and what is done where the upstream lists none of them.
///
/// All of that follows from the request and from what was picked, and the upstream knows both. Δ has no part in what is asked for.
impl Session {
    /// Waits for what the format allows next. It can be given up and called again.
    pub(super) async fn learn_allowed(&mut self) -> Result<(), DecodeError> {
        let waiting = Instant::now();
        if let Some(format) = &mut self.format {
            let allowed = format.allowed().await;
            self.allowed = Some(allowed.map_err(|source| DecodeError::Format {
                position: self.prefix.picked().len(),
                source,
            })?);
        }
        self.report.time.arithmetic += waiting.elapsed();
        Ok(())
    }

    /// The token that comes next whatever anybody thinks of it, where the format leaves no choice.
    pub(super) fn forced(&self) -> Option<TokenId> {
        self.allowed.as_ref()?.only.filter(|_| self.phases.is_prose())
    }

    /// A position with nothing but `token`, and its pick.
    pub(super) fn forced_pick(&self, token: TokenId) -> (Arc<Position>, Pick, Picking) {
        let position = Position {
            draft: token,
            candidates: vec![(token, 0.0)],
        };
        let listing = |count: usize| Listing {
            logprob: 0.0,
            best: [(token, 0.0)].into_iter().take(count).collect(),
        };
        let pick = Pick {
            token,
            uncertain: Vec::new(),
            raised: Vec::new(),
            listing: self.plan.list.map(listing),
            weighed: Vec::new(),
        };
        (Arc::new(position), pick, Picking::Forced)
    }

    /// Which tokens may be picked at `position`, shape `[vocabulary]`; `None` where the format has no say. In a thought it keeps the
    /// answer from ending there, and from beginning there with something else than it allows.
    pub(super) fn allowed_at(&mut self, position: &Position, may_mark: bool) -> Option<Arc<[bool]>> {
        let (format, allowed) = (self.format.as_mut()?, self.allowed.as_ref()?);
        let markable = self.plan.thinking.as_ref().map(|thinking| thinking.selectable());
        let markable = markable.unwrap_or(self.tokenizer.selectable());
        let none = || vec![false; markable.len()];
        if let Some(mark) = self.opening.front() {
            return Some(with(none(), [*mark], true));
        }
        let listed = position.candidates.iter().map(|(id, _)| *id);
        if self.phases.is_reasoning() {
            let ends = self.tokenizer.ends().iter().copied();
            let ends: Vec<TokenId> = ends.filter(|end| !self.phases.is_mark(*end)).collect();
            let spills = |id: &TokenId| {
                let spilt = self.phases.spills(*id, &self.tokenizer);
                !spilt.is_empty() && !format.follows_text(&spilt)
            };
            let spilling: Vec<TokenId> = listed.filter(spills).collect();
            return Some(with(markable.to_vec(), [ends, spilling].concat(), false));
        }
        let is_complete = allowed.contains(self.tokenizer.end());
        // Where the upstream begins a thought, only what belongs to one is picked. Around the answer itself marks may stand only where the
        // answer is complete.
        let selectable = match (self.phases.is_prose(), is_complete) {
            _ if !may_mark => return Some(Arc::from(&*allowed.selectable)),
            (true, false) => return Some(Arc::from(&*allowed.selectable)),
            (true, true) => allowed.selectable.to_vec(),
            (false, _) => none(),
        };
        let belongs = |id: &TokenId| {
            self.phases.belongs_to_reasoning(*id, &self.tokenizer) && markable.get(id.index()).copied().unwrap_or(false)
        };
        Some(with(selectable, listed.filter(belongs), true))
    }

    /// Waits until it is known what the upstream writes where a mark may begin like text. A mark is taken as it is drafted, and the
    /// answer itself is the format's from its first token on. It can be given up and called again.
    pub(super) async fn foresee(&mut self) {
        if self.format.is_none() || !self.opening.is_empty() || !self.skipped.is_empty() || !self.phases.may_begin() {
            return;
        }
        let Some(draft) = &mut self.draft else { return };
        let most = self.phases.telling(&self.tokenizer);
        let mut drafted = draft.at_hand(most);
        let beginning = loop {
            let beginning = self.phases.beginning(&drafted, &self.tokenizer);
            let is_unsure = matches!(beginning, Beginning::Unsure | Beginning::PartOfMark);
            if !is_unsure || drafted.len() >= most {
                break beginning;
            }
            draft.one_more_than(drafted.len()).await;
            let more = draft.at_hand(most);
            if more.len() <= drafted.len() {
                break beginning;
            }
            drafted = more;
        };
        match beginning {
            // Whatever has kept the upstream from drafting is said where its next position is taken.
            _ if drafted.is_empty() => {}
            Beginning::Mark(length) => self.opening.extend(drafted.iter().take(length)),
            Beginning::PartOfMark => {}
            Beginning::Answer | Beginning::Unsure => self.phases.begin_answer(),
        }
    }

    /// Adds tokens that the format allows to candidates that have none; false where none can be had. `tries` counts the calls for
    /// one position.
    pub(super) async fn widen(
        &mut self,
        candidates: &mut Candidates,
        delta: &Delta<'_>,
        tries: &mut Widening,
    ) -> Result<bool, DecodeError> {
        let place = self.position.as_ref().and_then(|place| place.allowed.clone());
        let (Some(selectable), Some(allowed)) = (place, self.allowed.clone()) else {
            return Ok(false);
        };
        if *selectable != *allowed.selectable {
            // A thought goes on; there the upstream has to list something.
            return self
                .widen_by(CandidateQuery::Likeliest(longer(candidates)), candidates)
                .await;
        }
        let is_whole = candidates.known().len() >= selectable.len();
        let by_id = !tries.asked_by_id && self.refetch.gives_tokens();
        let by_list = !is_whole && self.refetch.lists_more();
        if by_id && (allowed.count <= BY_ID || !by_list) {
            tries.asked_by_id = true;
            let wanted = likeliest(&allowed, delta, BY_ID);
            return self
                .widen_by(CandidateQuery::Tokens(ids(&wanted)), candidates)
                .await
                .map(|_| true);
        }
        if by_list {
            let wanted = CandidateQuery::Likeliest(longer(candidates));
            return self.widen_by(wanted, candidates).await.map(|_| true);
        }
        if tries.stood_in {
            return Ok(false);
        }
        tries.stood_in = true;
        Ok(self.stand_in(&allowed, candidates, delta))
    }

    async fn widen_by(&mut self, wanted: CandidateQuery, candidates: &mut Candidates) -> Result<bool, DecodeError> {
        let waiting = Instant::now();
        let widened = self.fetch(wanted, candidates).await;
        self.report.time.upstream_wait += waiting.elapsed();
        widened
    }

    /// Has the small model's public branch say what the upstream does not: how likely the allowed tokens are. All that the upstream
    /// has said is that it likes none of them, and an answer that ends here is of no use to anybody.
    fn stand_in(&self, allowed: &Allowed, candidates: &mut Candidates, delta: &Delta<'_>) -> bool {
        let mut best = likeliest(allowed, delta, self.plan.limits.top_k.max(1));
        best.retain(|(_, logprob)| *logprob > f32::NEG_INFINITY);
        let logprobs: Vec<f32> = best.iter().map(|(_, logprob)| *logprob).collect();
        let total = log_sum_exp(&logprobs);
        let known = best.iter().map(|(id, logprob)| Candidate {
            index: id.index(),
            logprob: f64::from(*logprob) - total,
        });
        let known: Vec<Candidate> = known.collect();
        if known.is_empty() {
            return false;
        }
        tracing::debug!(
            position = self.picked(),
            "the upstream lists no token that the answer's format allows; the small model's public branch stands in for it"
        );
        *candidates = Candidates::new(known);
        true
    }

    /// Tells the format what was picked of the answer. What may be a mark is one: see [`Self::foresee`].
    pub(super) fn inform(&mut self, step: &Step) {
        if let Some(format) = self.format.as_mut().filter(|_| step.phase != Phase::Undecided) {
            format.take(&step.tokens, &step.spilt);
        }
    }
}

/// What was tried at one position to find an allowed token.
#[derive(Default)]
pub(super) struct Widening {
    asked_by_id: bool,
    pub(super) stood_in: bool,
}

/// `selectable` with this said of `tokens`.
fn with(mut selectable: Vec<bool>, tokens: impl IntoIterator<Item = TokenId>, is: bool) -> Arc<[bool]> {
    for token in tokens {
        if let Some(entry) = selectable.get_mut(token.index()) {
            *entry = is;
        }
    }
    selectable.into()
}

/// How long the next list is.
fn longer(candidates: &Candidates) -> usize {
    candidates.known().len().max(1).saturating_mul(16)
}

fn ids(tokens: &[(TokenId, f32)]) -> Vec<TokenId> {
    tokens.iter().map(|(id, _)| *id).collect()
}

/// The `most` allowed tokens that the small model's public branch holds likeliest, with its logits. Where it says nothing, the first.
fn likeliest(allowed: &Allowed, delta: &Delta<'_>, most: usize) -> Vec<(TokenId, f32)> {
    let logit = |id: TokenId| delta.public(id.index()).filter(|logit| !logit.is_nan());
    let mut tokens: Vec<(TokenId, f32)> = allowed
        .tokens()
        .map(|id| (id, logit(id).unwrap_or(f32::NEG_INFINITY)))
        .collect();
    let order = |left: &(TokenId, f32), right: &(TokenId, f32)| -> Ordering {
        right.1.total_cmp(&left.1).then(left.0.cmp(&right.0))
    };
    tokens.sort_unstable_by(order);
    tokens.truncate(most);
    tokens
}
