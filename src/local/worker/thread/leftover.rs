use std::time::Duration;

use zeroize::Zeroizing;

use super::{Worker, log};
use crate::local::worker::lane::{Branch, Session};
use crate::vocabulary::TokenId;

/// The answers of sessions that have ended.
///
/// The next turn of a chat begins with the last one's prompt and answer. The answer's tokens were computed as an answer is, and
/// would round otherwise than a prompt's. So while nobody waits they are computed once more, as the prompt that they will be. What a
/// session leaves is a session without a holder, which is all prompt.
impl Worker<'_> {
    /// Notes what the session on this lane has answered, in both branches. The lane is nobody's now.
    pub(super) fn leave(&mut self, index: usize, answers: [Zeroizing<Vec<TokenId>>; 2]) {
        let Some(lane) = self.lanes.get_mut(index) else { return };
        let ids = lane.sequences();
        let held = ids.map(|id| self.sequences.length(id));
        // Where there is no room to remember it, nothing is held.
        let is_held = held.iter().all(|length| *length > 0);
        if !self.shape.rolls_back || !is_held || answers.iter().all(|answer| answer.is_empty()) {
            return;
        }
        for branch in 0..2 {
            let prompt = held[branch] - answers[branch].len();
            let truncated = self.sequences.truncate(self.backend, ids[branch], prompt);
            if truncated.is_err() {
                return log(truncated);
            }
        }
        let mut answers = answers.into_iter();
        let branches = held.map(|length| Branch {
            // The last token of a prompt waits for what comes after it; here it does not.
            prompt: length + 1,
            pending: answers.next().unwrap_or_default(),
        });
        lane.session = Some(Session {
            branches,
            wanted: None,
            compute: Duration::ZERO,
            returning: false,
            failed: None,
        });
    }

    /// A lane whose answer is to be made ready, if nobody has a slot and there is one.
    pub(super) fn leftover(&self) -> Option<usize> {
        let is_anybody_here = self.lanes.iter().any(|lane| lane.holder.is_some());
        let leftover = self.lanes.iter().position(|lane| lane.session.is_some());
        leftover.filter(|_| !is_anybody_here)
    }

    /// Computes the next piece of a lane's answer. It is a short one: somebody may come.
    pub(super) fn make_ready(&mut self, index: usize) {
        let Some(lane) = self.lanes.get(index) else { return };
        match self.prompt_of(lane) {
            Some(left) if self.is_whole(index) => self.compute_piece(index, left, true),
            _ => {
                if let Some(lane) = self.lanes.get_mut(index) {
                    lane.session = None;
                }
                log(self.sequences.trim(self.backend));
            }
        }
    }

    /// Whether what the answer goes on from is still remembered.
    fn is_whole(&self, index: usize) -> bool {
        let Some(lane) = self.lanes.get(index) else {
            return false;
        };
        let ids = lane.sequences();
        lane.session.as_ref().is_some_and(|session| {
            (0..2).all(|branch: usize| {
                let held = self.sequences.length(ids[branch]);
                session.prompt_left(branch, held) == session.pending(branch)
            })
        })
    }
}
