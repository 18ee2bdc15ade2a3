mod allowing;
mod checking;
mod choosing;
mod drafting;
mod taking;

use std::collections::VecDeque;
use std::sync::Arc;

use metrics::histogram;
use tokio::time::Instant;

use super::branches::Branches;
use super::bypass::Bypass;
use super::certainty::Picking;
use super::draft::Draft;
use super::error::DecodeError;
use super::format::Format;
use super::phases::{Phase, Phases, Tools};
use super::pick::Pick;
use super::plan::{Event, Plan};
use super::refetch::Refetch;
use super::report::Report;
use super::time::TimeSplit;
use super::trace::{Trace, shortened};
use super::window::Window;
use crate::local::Slot;
use crate::steering::Adjustments;
use crate::structure::Allowed;
use crate::upstream::{Position, Prefix, Upstream};
use crate::vocabulary::{Alignment, TextStream, TokenId, Tokenizer};

/// A steered generation in progress. Dropping it ends the work at the upstream and frees the slot.
pub struct Session {
    upstream: Arc<dyn Upstream>,
    /// Of the upstream: what answers are written in.
    tokenizer: Arc<Tokenizer>,
    /// `None` once nothing more will be steered.
    branches: Option<Branches>,
    plan: Plan,
    /// Prompt and picked tokens: all that is needed to ask the upstream again, anywhere.
    prefix: Prefix,
    draft: Option<Draft>,
    position: Option<Place>,
    /// Tokens that were taken without the draft, whose positions in it have not come yet.
    skipped: VecDeque<TokenId>,
    /// What the answer must look like, and what that allows at the next position.
    format: Option<Format>,
    allowed: Option<Arc<Allowed>>,
    /// Tokens of a mark that the upstream has drafted, where an answer has a format. They are picked as they are.
    opening: VecDeque<TokenId>,
    /// Whether the branches have been told of tokens and not been asked about the next one.
    to_ask: bool,
    window: Window,
    /// Of drafts that are opened before the answer itself begins.
    thoughts: Window,
    /// Whether the open draft was opened for the answer itself.
    draft_is_prose: bool,
    phases: Phases,
    /// Tokens of a call that the branches have not been given.
    put_off: Vec<TokenId>,
    /// The call that the answer is, as far as it has come.
    forced_call: String,
    /// Whether the answer has called a tool.
    has_called: bool,
    bypass: Bypass,
    adjustments: Adjustments,
    /// Of the answer, and of the thought before it.
    text: TextStream,
    reasoning: TextStream,
    report: Report,
    refetch: Refetch,
    started: Instant,
    finished: bool,
}

/// A position that is being picked at.
#[derive(Clone)]
struct Place {
    position: Arc<Position>,
    way: Way,
    /// Whether tokens that mark a thought may be picked.
    may_mark: bool,
    /// Which tokens the format allows, shape `[vocabulary]`; `None` where it has no say.
    allowed: Option<Arc<[bool]>>,
}

/// How the token of a position is picked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Steered,
    /// Unsteered, because the upstream is sure of itself.
    Passed,
    /// Unsteered, because it belongs to the upstream's reasoning, or to a call.
    Own,
}

impl Session {
    /// Opens both branches, which start on their prompts (in the small model's ids) at once, and sends the first request to the
    /// upstream.
    ///
    /// # Errors
    /// [`DecodeError::Local`] when the local model refuses.
    pub async fn open(
        upstream: Arc<dyn Upstream>,
        slot: Arc<dyn Slot>,
        alignment: &Arc<Alignment>,
        public: &[TokenId],
        private: &[TokenId],
        plan: Plan,
    ) -> Result<Self, DecodeError> {
        let started = Instant::now();
        let pair = slot.open(public, private).await?;
        let is_chat = !plan.prompt.chat.is_empty();
        let mut session = Self {
            upstream,
            tokenizer: Arc::clone(alignment.upstream()),
            branches: Some(Branches::new(pair, alignment, is_chat, plan.local_room)),
            prefix: plan.prompt.clone(),
            window: Window::new(plan.limits.lookahead),
            thoughts: Window::new(plan.limits.lookahead),
            draft_is_prose: true,
            phases: Phases::new(
                plan.thinking.clone(),
                plan.calls.clone(),
                alignment.upstream(),
                &plan.prompt.ids,
            ),
            put_off: Vec::new(),
            forced_call: String::new(),
            has_called: false,
            bypass: Bypass::new(plan.bypass),
            adjustments: Adjustments::new(plan.penalties.clone(), plan.prompt.ids.iter().map(|id| id.index())),
            refetch: Refetch::new(plan.exactness),
            format: plan.grammar.as_ref().map(Format::new),
            allowed: None,
            skipped: VecDeque::new(),
            opening: VecDeque::new(),
            to_ask: false,
            plan,
            draft: None,
            position: None,
            text: TextStream::default(),
            reasoning: TextStream::default(),
            report: Report::default(),
            started,
            finished: false,
        };
        session.open_draft();
        Ok(session)
    }

    /// The next token; `None` after the last. It can be given up and called again: nothing is lost.
    ///
    /// # Errors
    /// A [`DecodeError`]; nothing comes after it.
    pub async fn next(&mut self) -> Result<Option<Event>, DecodeError> {
        if self.finished {
            return Ok(None);
        }
        let step = self.step().await;
        self.finished |= step.is_err();
        step.map(Some)
    }

    async fn step(&mut self) -> Result<Event, DecodeError> {
        let before = self.report.time;
        self.learn_allowed().await?;
        let (position, mut pick, picking) = match self.forced() {
            Some(token) => self.forced_pick(token),
            None => self.picked_position().await?,
        };
        // Nothing is waited for from here on.
        self.position = None;
        self.opening.pop_front();
        let token = pick.token;
        let trace = self
            .plan
            .traced
            .then(|| Box::new(self.trace(&mut pick, picking, &position, &before)));
        let (event, followed) = self.take(pick, picking, &position, trace)?;
        self.finished = event.finish.is_some();
        // What the upstream goes on with is conditioned on its draft.
        let broke = token != position.draft;
        if broke || self.finished || self.draft.as_ref().is_some_and(Draft::is_spent) {
            self.close_draft(broke);
        } else if picking == Picking::Forced {
            self.skip(token);
        }
        if self.finished {
            self.branches = None;
        } else {
            self.follow(&followed);
            // At once, and not when the next token is wanted: the request travels while this one is written out. A format may leave
            // no choice about the next token, though, and then nobody is asked.
            if self.format.is_none() {
                self.go_on();
            }
        }
        self.report.time.total = self.started.elapsed();
        if self.report.positions == 1 {
            self.report.time.first_token = self.report.time.total;
        } else {
            let between = self.report.time.total.saturating_sub(before.total);
            histogram!("costeer_inter_token_seconds").record(between.as_secs_f64());
        }
        Ok(event)
    }

    /// The next position of the upstream's, and the pick at it.
    async fn picked_position(&mut self) -> Result<(Arc<Position>, Pick, Picking), DecodeError> {
        self.go_on();
        let waiting = Instant::now();
        let place = self.next_position().await?;
        self.report.time.upstream_wait += waiting.elapsed();
        let (pick, picking) = self.pick(&place).await?;
        Ok((place.position, pick, picking))
    }

    /// Has the upstream go on, and the branches say what they think of the next position.
    fn go_on(&mut self) {
        self.open_draft();
        if std::mem::take(&mut self.to_ask) {
            self.ask_branches(None);
        }
    }

    /// What the session was opened with.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Length of the upstream's prompt.
    pub fn prompt_tokens(&self) -> usize {
        self.prefix.prompt
    }

    /// Tokens picked so far, the end of turn not counted.
    fn picked(&self) -> usize {
        self.prefix.picked().len()
    }

    /// What the session cost and did so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Has the branches go on after `tokens` when they are asked. While steering is bypassed they compute nothing, and catch up later. They
    /// never see the upstream's reasoning. Where a call may be coming they wait for what comes instead.
    fn follow(&mut self, tokens: &[TokenId]) {
        if self.bypass.is_latched() {
            self.branches = None;
        }
        if let Some(branches) = &mut self.branches {
            for token in tokens {
                branches.note(*token);
            }
            let is_own = self.plan.tools == Tools::Prose && self.phases.may_be_call();
            self.to_ask |= !tokens.is_empty() && !is_own && !self.bypass.is_active();
        }
    }

    /// How `pick` came about; `before` is the session's time before it.
    fn trace(&self, pick: &mut Pick, picking: Picking, position: &Position, before: &TimeSplit) -> Trace {
        let upstream_best = position.best();
        let at = self.started.elapsed();
        let now = TimeSplit {
            total: at,
            ..self.report.time
        };
        Trace {
            position: self.picked() as u64,
            token: pick.token,
            upstream_best,
            picking,
            // Said when it is taken.
            phase: Phase::Undecided,
            request: self.report.upstream_requests,
            candidates: shortened(std::mem::take(&mut pick.weighed), &[pick.token, upstream_best]),
            at,
            time: now.since(before),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close_draft(false);
        self.report.record();
    }
}
