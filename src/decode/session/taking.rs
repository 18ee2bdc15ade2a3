use super::Session;
use crate::decode::certainty::Picking;
use crate::decode::error::DecodeError;
use crate::decode::phases::{Phase, Reasoning, Step, Tools};
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
        self.inform(&step);
        self.report.book(picking, picked.token != picked.upstream_best, &step);
        let followed = self.followed(token, &step, ends)?;
        let followed = self.put_off(followed, step.phase);
        let is_last_call = !step.calls.is_empty() && !self.may_call_again();
        let finish = if ends || is_last_call {
            Some(Finish::Stop)
        } else if self.picked() >= self.plan.limits.max_tokens || !self.branches_have_room_for(&followed) {
            Some(Finish::Length)
        } else {
            None
        };
        let mut reasoning = self.reasoning.push(&step.reasoning);
        let mut text = self.text.push(&step.prose);
        let mut calls = step.calls;
        if finish.is_some() {
            self.report.settle();
            let rest = self.phases.finish();
            reasoning.push_str(&self.reasoning.push(&rest.reasoning));
            reasoning.push_str(&self.reasoning.finish());
            text.push_str(&self.text.push(&rest.prose));
            text.push_str(&self.text.finish());
            calls.extend(rest.calls);
        }
        if let Some(forced) = &self.plan.forced_call {
            self.forced_call.push_str(&std::mem::take(&mut text));
            if finish.is_some() {
                calls.extend(forced.read(&self.forced_call));
            }
        }
        if !self.may_call_again() {
            calls.truncate(1);
        }
        self.has_called |= !calls.is_empty();
        let finish = match finish {
            Some(Finish::Stop) if self.has_called => Some(Finish::Calls),
            other => other,
        };
        let event = Event {
            picked,
            text,
            reasoning,
            calls,
            phase: step.phase,
            trace,
            finish,
        };
        Ok((event, followed))
    }

    /// Whether more than one call is wanted.
    fn may_call_again(&self) -> bool {
        self.plan.calls.as_ref().is_none_or(|calls| calls.parallel)
    }

    /// Keeps tokens of a call back until the answer goes on after it: the small model has no say in calls, so it reads them at once, and
    /// not at all where they are longer than what it can hold.
    fn put_off(&mut self, followed: Vec<TokenId>, phase: Phase) -> Vec<TokenId> {
        if phase == Phase::Call && self.plan.tools == Tools::Prose {
            self.put_off.extend(followed);
            return Vec::new();
        }
        if followed.is_empty() || self.put_off.is_empty() {
            return followed;
        }
        let all = [std::mem::take(&mut self.put_off), followed.clone()].concat();
        if self.branches_have_room_for(&all) {
            all
        } else {
            followed
        }
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
