use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use zeroize::Zeroizing;

use super::backend::SequenceId;
use super::command::Holder;
use crate::local::{LocalError, PairLogits, Rows};
use crate::vocabulary::TokenId;

/// Two neighbouring sequences, the public branch's first, and what runs on them. There are as many as slots at least.
pub struct Lane {
    /// The first of the two.
    pub first: SequenceId,
    /// Who holds it.
    pub holder: Option<Holder>,
    /// What runs on it.
    pub session: Option<Session>,
}

impl Lane {
    /// Nobody's.
    pub fn new(index: usize) -> Self {
        Self {
            first: SequenceId(2 * index),
            holder: None,
            session: None,
        }
    }

    /// The sequences of the public and of the private branch.
    pub fn sequences(&self) -> [SequenceId; 2] {
        [self.first, SequenceId(self.first.0 + 1)]
    }
}

/// The two branches of a session.
pub struct Session {
    /// The public and the private one.
    pub branches: [Branch; 2],
    /// What was asked for last and has not been answered.
    pub wanted: Option<Wanted>,
    /// How long the engine computed since the last answer.
    pub compute: Duration,
    /// It has got its logits and has not said yet how it goes on.
    pub returning: bool,
    /// Why it cannot go on.
    pub failed: Option<String>,
}

/// One branch.
pub struct Branch {
    /// Tokens of its prompt.
    pub prompt: usize,
    /// Tokens that were not computed yet, the prompt's first.
    pub pending: Zeroizing<Vec<TokenId>>,
}

/// Logits that were asked for.
pub struct Wanted {
    /// After how many of the last pending tokens.
    pub rows: usize,
    /// Those that were computed and not handed over, of the public and of the private branch.
    pub computed: [Vec<Vec<f32>>; 2],
    /// Where they go, as they are computed.
    pub reply: UnboundedSender<Result<Rows, LocalError>>,
}

impl Session {
    /// Tokens of a branch's prompt that must be computed before anything is asked for; the last one waits for what comes after it.
    pub fn prompt_left(&self, branch: usize, held: usize) -> usize {
        let prompt = self.branches.get(branch).map_or(0, |branch| branch.prompt);
        prompt.saturating_sub(1).saturating_sub(held)
    }

    /// Pending tokens of a branch.
    pub fn pending(&self, branch: usize) -> usize {
        self.branches.get(branch).map_or(0, |branch| branch.pending.len())
    }

    /// Whether somebody waits for logits.
    pub fn is_waited_for(&self) -> bool {
        self.wanted.as_ref().is_some_and(|wanted| !wanted.reply.is_closed())
    }

    /// Hands over the logits of the positions that both branches have computed.
    pub fn deliver(&mut self) {
        let Some(wanted) = &mut self.wanted else { return };
        let [public, private] = &mut wanted.computed;
        let positions = public.len().min(private.len());
        if positions == 0 {
            return;
        }
        let positions = public.drain(..positions).zip(private.drain(..positions));
        let rows = Rows {
            positions: positions
                .map(|(public, private)| PairLogits { public, private })
                .collect(),
            compute: std::mem::take(&mut self.compute),
        };
        // Nobody may wait for them any longer.
        let is_heard = wanted.reply.send(Ok(rows)).is_ok();
        if self.branches.iter().all(|branch| branch.pending.is_empty()) {
            self.wanted = None;
            self.returning = is_heard;
        }
    }

    /// Ends it with `reason`.
    pub fn fail(&mut self, reason: String) {
        if let Some(wanted) = self.wanted.take() {
            let _unheard = wanted.reply.send(Err(LocalError::Engine(reason.clone())));
        }
        self.failed = Some(reason);
    }
}
