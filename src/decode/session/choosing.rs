use std::sync::Arc;

use tokio::time::Instant;

use super::allowing::Widening;
use super::{Place, Session, Way};
use crate::decode::branches::ProjectedPair;
use crate::decode::certainty::{Certainty, Picking};
use crate::decode::error::DecodeError;
use crate::decode::pick::{Chooser, Exactness, Pick, candidate, offered};
use crate::local::LocalError;
use crate::steering::{Candidate, Candidates, Delta};
use crate::upstream::{CandidateQuery, CandidateRequest, Position};

/// From a position of the upstream's to the token that is picked there.
impl Session {
    /// The token at `place`: steered, and how certain that is; or the upstream's own where that is the way.
    pub(super) async fn pick(&mut self, place: &Place) -> Result<(Pick, Picking), DecodeError> {
        let position = &*place.position;
        let forced_end = self.forced_end(position).filter(|_| place.way != Way::Own);
        if let Some(end) = forced_end {
            let pick = self
                .chooser(Exactness::Off)
                .pick(&Candidates::new(vec![end]), &Delta::none());
            // A format may not allow the end here.
            if let Some(pick) = pick {
                return Ok((pick, Picking::Stopped));
            }
        }
        let mut candidates = match self.opening.front() {
            Some(mark) => Candidates::new(vec![candidate(&(*mark, 0.0))]),
            None => offered(position),
        };
        let unsteered = match place.way {
            Way::Own => Some(Picking::Own),
            Way::Passed => Some(Picking::Passed),
            Way::Steered => None,
        };
        if let Some(picking) = unsteered {
            let settled = self.settle(&mut candidates, &Delta::none(), Exactness::Off).await?;
            match settled {
                Some((pick, _)) => return Ok((pick, picking)),
                None if picking == Picking::Own || self.branches.is_none() => return Err(self.no_candidate()),
                // Of what the format allows, the small model alone can tell.
                None => {}
            }
        }
        let pair = self.branch_logits(position).await?;
        let checking = Instant::now();
        let delta = pair.delta(self.plan.rule.delta_floor)?;
        self.report.time.arithmetic += checking.elapsed();
        let exactness = self.plan.exactness;
        let settled = self.settle(&mut candidates, &delta, exactness).await?;
        let (pick, refetched) = settled.ok_or_else(|| self.no_candidate())?;
        let certainty = match (exactness, pick.uncertain.is_empty(), refetched) {
            (Exactness::Off, _, _) => None,
            (_, true, false) => Some(Certainty::Certified),
            (_, true, true) => Some(Certainty::Refetched),
            (_, false, _) => Some(Certainty::Uncertified),
        };
        Ok((pick, Picking::Steered(certainty)))
    }

    /// The pick, after the upstream was asked for everything that it should and can be asked for, and whether it had anything to
    /// add. It is asked for tokens that the client raised with every exactness, and for more where it lists none that the answer's
    /// format allows. `None` where no token can be had.
    async fn settle(
        &mut self,
        candidates: &mut Candidates,
        delta: &Delta<'_>,
        exactness: Exactness,
    ) -> Result<Option<(Pick, bool)>, DecodeError> {
        let mut refetched = false;
        let mut widening = Widening::default();
        loop {
            let computing = Instant::now();
            let pick = self.chooser(exactness).pick(candidates, delta);
            self.report.time.arithmetic += computing.elapsed();
            let Some(pick) = pick else {
                if self.widen(candidates, delta, &mut widening).await? {
                    continue;
                }
                return Ok(None);
            };
            // What the small model said in the upstream's place proves nothing.
            let wanted = self.refetch.wanted(&pick, candidates.known().len());
            let Some(wanted) = wanted.filter(|_| !widening.stood_in) else {
                return Ok(Some((pick, refetched)));
            };
            let waiting = Instant::now();
            refetched |= self.fetch(wanted, candidates).await?;
            self.report.time.upstream_wait += waiting.elapsed();
        }
    }

    /// The end of turn where the upstream is sure enough of it, unless the client has made it less likely.
    fn forced_end(&self, position: &Position) -> Option<Candidate> {
        let least = self.plan.forced_stop?;
        let ends = self.tokenizer.ends();
        let offered = position
            .candidates
            .iter()
            .filter(|(id, _)| ends.contains(id))
            .map(candidate);
        let sure = offered.filter(|end| end.logprob.exp() > least && self.adjustments.adjusted(end.index, 0.0) >= 0.0);
        sure.max_by(|left, right| left.logprob.total_cmp(&right.logprob))
    }

    fn chooser(&self, exactness: Exactness) -> Chooser<'_> {
        Chooser {
            rule: &self.plan.rule,
            sampling: &self.plan.sampling,
            adjustments: &self.adjustments,
            exactness,
            list: self.plan.list,
            traced: self.plan.traced,
            selectable: self.selectable(),
            position: self.picked() as u64,
        }
    }

    /// Which tokens may be picked at the position in hand.
    fn selectable(&self) -> &[bool] {
        if let Some(allowed) = self.position.as_ref().and_then(|place| place.allowed.as_ref()) {
            return allowed;
        }
        let may_mark = self.position.as_ref().is_some_and(|place| place.may_mark);
        let marks = self.phases.selectable().filter(|_| may_mark);
        marks.unwrap_or(self.tokenizer.selectable())
    }

    /// Waits for what the branches say at `position`.
    async fn branch_logits(&mut self, position: &Position) -> Result<Arc<ProjectedPair>, DecodeError> {
        let waiting = Instant::now();
        let gone = || LocalError::Engine("its branches have been given back".into());
        if !self.branches.as_ref().ok_or_else(gone)?.are_asked() {
            self.wait_for_drafts().await;
            self.ask_branches(Some(position.draft));
        }
        let branches = self.branches.as_mut().ok_or_else(gone)?;
        let (pair, compute) = branches.next(&mut self.window).await?;
        self.report.time.local_wait += waiting.elapsed();
        self.report.time.local_compute += compute;
        Ok(pair)
    }

    /// Asks the upstream for more of the next position; false when it has no more to say.
    pub(super) async fn fetch(
        &mut self,
        wanted: CandidateQuery,
        candidates: &mut Candidates,
    ) -> Result<bool, DecodeError> {
        self.report.refetch_requests += 1;
        let request = CandidateRequest {
            caller: self.plan.caller.clone(),
            prefix: self.prefix.clone(),
            wanted,
            temperature: 0.0,
        };
        let fetched = self.refetch.fetch(&*self.upstream, request, candidates).await;
        fetched.map_err(|source| self.failed(source))
    }

    fn no_candidate(&self) -> DecodeError {
        let position = self.picked();
        if self.position.as_ref().is_some_and(|place| place.allowed.is_some()) {
            DecodeError::NothingAllowed { position }
        } else {
            DecodeError::NoCandidate { position }
        }
    }
}
