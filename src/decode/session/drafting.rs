use std::sync::Arc;

use super::{Place, Session, Way};
use crate::decode::draft::Draft;
use crate::decode::error::DecodeError;
use crate::decode::phases::{Phase, Reasoning, Tools};
use crate::upstream::{Position, PositionRequest, UpstreamError};
use crate::vocabulary::TokenId;

/// The upstream's positions, one after the other, however many requests they take.
impl Session {
    /// Asks the upstream to go on from the prefix, unless a draft is open.
    pub(super) fn open_draft(&mut self) {
        if self.draft.is_some() {
            return;
        }
        let left = self.plan.limits.max_tokens.saturating_sub(self.picked());
        self.draft_is_prose = self.phases.is_prose();
        let is_greedy = self.plan.sampling.temperature == 0.0;
        let mut ask = if self.draft_is_prose {
            self.window.ask(left)
        } else if is_greedy && self.is_own(self.phases.sure()) {
            self.thoughts.ask_all(left)
        } else {
            self.thoughts.ask(left)
        };
        if self.format.is_some() && self.phases.may_begin() {
            let telling = self.phases.telling(&self.tokenizer).min(left).max(1);
            ask.positions = ask.positions.max(telling);
            ask.unread = ask.unread.max(telling);
        }
        let request = PositionRequest {
            caller: self.plan.caller.clone(),
            prefix: self.prefix.clone(),
            window: ask.positions,
            top_k: self.plan.limits.top_k,
        };
        self.report.upstream_requests += 1;
        self.draft = Some(Draft::open(Arc::clone(&self.upstream), request, ask.unread));
    }

    /// Ends the request and lets the window learn from it, and from whether the last pick differed from the draft.
    pub(super) fn close_draft(&mut self, broke: bool) {
        self.skipped.clear();
        if let Some(draft) = self.draft.take() {
            let outcome = draft.outcome(broke);
            self.report.wasted_tokens += outcome.unused as u64;
            // Thoughts last as drafted for longer than answers do.
            let window = if self.draft_is_prose {
                &mut self.window
            } else {
                &mut self.thoughts
            };
            window.learn(outcome);
        }
    }

    /// The next position; the same one again until something was picked at it.
    pub(super) async fn next_position(&mut self) -> Result<Place, DecodeError> {
        loop {
            if let Some(place) = &self.position {
                return Ok(place.clone());
            }
            self.open_draft();
            self.foresee().await;
            let Some(draft) = &mut self.draft else {
                continue;
            };
            match draft.next().await.transpose() {
                Ok(Some(position)) if !self.skipped.is_empty() => {
                    if self.skipped.pop_front() != Some(position.draft) {
                        self.close_draft(true);
                    }
                }
                Ok(Some(position)) => {
                    let position = Arc::new(self.checked(position)?);
                    // Once, however often the pick is given up and begun again: it counts for the bypass.
                    self.position = Some(self.place(position));
                }
                // Used up: go on from the prefix. An answer without any position would repeat for ever.
                Ok(None) if draft.taken() > 0 => self.close_draft(false),
                Ok(None) => {
                    let position = self.picked();
                    return Err(DecodeError::NoPosition { position });
                }
                Err(source) => return Err(self.failed(source)),
            }
        }
    }

    /// Notes a token that was taken without the draft, which counts as long as it has the same tokens.
    pub(super) fn skip(&mut self, token: TokenId) {
        if self.draft.is_some() {
            self.skipped.push_back(token);
        }
        self.catch_up();
    }

    /// Passes over the positions that have come for tokens taken already, and drops a draft that went another way.
    fn catch_up(&mut self) {
        let Some(draft) = &mut self.draft else { return };
        for drafted in draft.at_hand(self.skipped.len()) {
            if self.skipped.pop_front() != Some(drafted) {
                self.close_draft(true);
                return;
            }
            draft.pass_over();
        }
        // What is left may be about no more than these.
        if draft.is_spent() || draft.left() <= self.skipped.len() {
            self.close_draft(false);
        }
    }

    /// How to pick at `position`.
    fn place(&mut self, position: Arc<Position>) -> Place {
        let phase = self.phases.expected(position.draft, &self.tokenizer);
        let allowed = self.allowed_at(&position, phase != Phase::Prose);
        let is_allowed = |id: &TokenId| {
            let allowed = allowed.as_ref();
            allowed.is_none_or(|allowed| allowed.get(id.index()).copied().unwrap_or(false))
        };
        // What may only be prose is no thought, although the upstream would begin one.
        let is_ruled_out = self.phases.is_prose() && !is_allowed(&position.draft);
        let phase = if is_ruled_out { Phase::Prose } else { phase };
        if self.format.is_some() && phase == Phase::Prose {
            // What the format allows is the answer's, blanks before its first word included.
            self.phases.begin_answer();
        }
        let likeliest = position.candidates.iter().find(|(id, _)| is_allowed(id));
        let largest = likeliest.map_or(f64::NEG_INFINITY, |(_, logprob)| *logprob);
        let way = if self.is_own(phase) {
            Way::Own
        } else if self.bypass.passes(largest) {
            Way::Passed
        } else {
            Way::Steered
        };
        Place {
            position,
            way,
            may_mark: phase != Phase::Prose,
            allowed,
        }
    }

    /// Whether positions of `phase` are the upstream's alone.
    fn is_own(&self, phase: Phase) -> bool {
        match phase {
            Phase::Reasoning => self.plan.reasoning == Reasoning::Plain,
            Phase::Call => self.plan.tools == Tools::Prose,
            Phase::Undecided | Phase::Prose => false,
        }
    }

    /// Refuses a draft outside the vocabulary: it comes from another model than the tokenizer's.
    fn checked(&self, position: Position) -> Result<Position, DecodeError> {
        let vocabulary = self.tokenizer.selectable().len();
        if position.draft.index() < vocabulary {
            Ok(position)
        } else {
            Err(DecodeError::UnknownToken {
                position: self.picked(),
                token: position.draft.0,
                vocabulary,
            })
        }
    }

    pub(super) fn failed(&self, source: UpstreamError) -> DecodeError {
        let position = self.picked();
        DecodeError::Upstream { position, source }
    }
}
