use super::Session;
use crate::decode::certainty::Picking;
use crate::decode::error::DecodeError;
use crate::decode::phases::{Phase, Reasoning, Step};
use crate::decode::pick::Pick;
use crate::decode::plan::{Event, Finish, Picked};
use crate::decode::trace::Trace;
use crate::local::LocalError;
use crate::upstream::Position;
use crate::vocabulary::TokenId;

/// From a pick to an event.
impl Session {
    /// Books the picked token. Gives the event it comes to, and the tokens that the branches go on with.
    pub(super) fn take(
        &mut self,
        pick: Pick,
        picking: Picking,
        position: &Position,
        mut trace: Option<Box<Trace>>,
    ) -> Result<(Event, Vec<TokenId>), DecodeError> {
        let token = pick.token;
        let picked = Picked {
            token,
            upstream_best: position.best(),
            listing: pick.listing,
        };
        let ends = self.tokenizer.ends().contains(&token) && !self.phases.is_mark(token);
        let step = if ends {
            let is_thought = self.phases.is_reasoning();
            Step::nothing(if is_thought { Phase::Reasoning } else { Phase::Prose })
        } else {
            self.prefix.ids.push(token);
            self.adjustments.saw(token.index());
            self.phases.take(token, &self.tokenizer)
        };
        if let Some(trace) = &mut trace {
            trace.phase = step.phase;
        }
        self.inform(token, &step, ends)?;
        self.report.book(picking, picked.token != picked.upstream_best, &step);
        let followed = self.followed(token, &step, ends)?;
        let finish = if ends {
            Some(Finish::Stop)
        } else if self.picked() >= self.plan.limits.max_tokens || !self.branches_have_room_for(&followed) {
            Some(Finish::Length)
        } else {
            None
        };
        let mut reasoning = self.reasoning.push(&step.reasoning);
        let mut text = self.text.push(&step.prose);
        if finish.is_some() {
            self.report.settle();
            let (thought, prose) = self.phases.finish();
            reasoning.push_str(&self.reasoning.push(&thought));
            reasoning.push_str(&self.reasoning.finish());
            text.push_str(&self.text.push(&prose));
            text.push_str(&self.text.finish());
        }
        let event = Event {
            picked,
            text,
            reasoning,
            phase: step.phase,
            trace,
            finish,
        };
        Ok((event, followed))
    }

    /// What the small model reads of a pick: of the answer everything, and of the upstream's reasoning nothing, unless that is steered.
    fn followed(&self, token: TokenId, step: &Step, ends: bool) -> Result<Vec<TokenId>, DecodeError> {
        if ends {
            return Ok(Vec::new());
        }
        if self.plan.reasoning == Reasoning::Steer {
            return Ok(vec![token]);
        }
        let mut followed = step.tokens.clone();
        if !step.spilt.is_empty() {
            let spilt = self.tokenizer.encode(&String::from_utf8_lossy(&step.spilt));
            followed.extend(spilt.map_err(|error| LocalError::Engine(error.to_string()))?);
        }
        Ok(followed)
    }

    /// Whether the small model could go on after `tokens`, as far as it is still needed.
    fn branches_have_room_for(&self, tokens: &[TokenId]) -> bool {
        let branches = self.branches.as_ref().filter(|_| !self.bypass.is_latched());
        tokens.is_empty() || branches.is_none_or(|branches| branches.have_room_for(tokens))
    }
}
