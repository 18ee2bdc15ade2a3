use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use serde::Serialize;

use super::certainty::{Certainty, Picking};
use super::phases::{Phase, Step};
use super::time::TimeSplit;

/// What a session cost and did, so far.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Tokens picked, the end of turn included; each used one position of the upstream.
    pub positions: u64,
    /// Positions of the upstream's reasoning, with what marks it.
    pub reasoning: u64,
    /// Positions of calls that are the upstream's alone, with what marks them.
    pub calls: u64,
    /// Positions where another token than the upstream's likeliest was picked; above temperature 0 the draw does that too. Those of
    /// unsteered reasoning and calls are not counted.
    pub changed: u64,
    /// Positions where steering was bypassed.
    pub passed: u64,
    /// Positions that the answer's format left one token for, so that nobody was asked.
    pub forced: u64,
    /// Steered positions where the pick is proved to be the one over the whole vocabulary.
    pub certified: u64,
    /// Steered positions where the pick is proved after asking the upstream for more.
    pub refetched: u64,
    /// Steered positions where the pick is not proved.
    pub uncertified: u64,
    /// Requests for positions.
    pub upstream_requests: u64,
    /// Requests for more of a position; each has the upstream compute one position more.
    pub refetch_requests: u64,
    /// Positions the upstream computed that were not used.
    pub wasted_tokens: u64,
    /// Unsteered positions that may be a thought's, a call's or the answer's.
    #[serde(skip)]
    undecided: u64,
    /// Where the time went.
    #[serde(flatten)]
    pub time: TimeSplit,
}

impl Report {
    /// Counts a pick: how it was made, whether it is another token than the upstream's likeliest, and what it came to.
    pub(super) fn book(&mut self, picking: Picking, differs: bool, step: &Step) {
        self.positions += 1;
        let is_own = picking == Picking::Own;
        self.changed += u64::from(differs && !is_own);
        match step.phase {
            Phase::Undecided => self.undecided += u64::from(is_own),
            Phase::Reasoning => {
                self.reasoning += 1 + step.decided as u64;
                self.undecided = 0;
            }
            Phase::Call => self.calls += u64::from(is_own) + std::mem::take(&mut self.undecided),
            Phase::Prose => {
                self.passed += u64::from(is_own);
                self.settle();
            }
        }
        match picking {
            Picking::Passed => self.passed += 1,
            Picking::Forced => self.forced += 1,
            Picking::Steered(None) | Picking::Stopped | Picking::Own => {}
            Picking::Steered(Some(Certainty::Certified)) => self.certified += 1,
            Picking::Steered(Some(Certainty::Refetched)) => self.refetched += 1,
            Picking::Steered(Some(Certainty::Uncertified)) => self.uncertified += 1,
        }
    }

    /// Counts tokens that looked like the mark of a thought or a call, and were none, as what they are: unsteered ones of the answer.
    pub(super) fn settle(&mut self) {
        self.passed += std::mem::take(&mut self.undecided);
    }

    /// Adds another session's counts and times.
    pub fn add(&mut self, other: &Self) {
        self.positions += other.positions;
        self.reasoning += other.reasoning;
        self.calls += other.calls;
        self.changed += other.changed;
        self.passed += other.passed;
        self.forced += other.forced;
        self.certified += other.certified;
        self.refetched += other.refetched;
        self.uncertified += other.uncertified;
        self.upstream_requests += other.upstream_requests;
        self.refetch_requests += other.refetch_requests;
        self.wasted_tokens += other.wasted_tokens;
        self.time.add(&other.time);
    }

    /// Adds it all to the process' metrics.
    pub(super) fn record(&self) {
        counter!("costeer_sessions_total").increment(1);
        for (name, value, _) in self.counters() {
            counter!(name).increment(value);
        }
        if self.positions == 0 {
            return;
        }
        histogram!("costeer_session_seconds").record(self.time.total.as_secs_f64());
        histogram!("costeer_first_token_seconds").record(self.time.first_token.as_secs_f64());
        for (part, spent) in self.time.parts() {
            histogram!("costeer_session_part_seconds", "part" => part).record(spent.as_secs_f64());
        }
    }

    /// Says what the metrics mean. Call it once, after a metrics recorder is installed.
    pub fn describe() {
        describe_counter!("costeer_sessions_total", "Steered answers begun.");
        for (name, _, meaning) in Self::default().counters() {
            describe_counter!(name, meaning);
        }
        describe_histogram!(
            "costeer_session_seconds",
            Unit::Seconds,
            "From the start of a steered answer to its last token."
        );
        describe_histogram!(
            "costeer_first_token_seconds",
            Unit::Seconds,
            "From the start of a steered answer to its first token."
        );
        describe_histogram!(
            "costeer_inter_token_seconds",
            Unit::Seconds,
            "Between two tokens of a steered answer."
        );
        describe_histogram!(
            "costeer_session_part_seconds",
            Unit::Seconds,
            "What a steered answer waited for or did, by part."
        );
    }

    fn counters(&self) -> [(&'static str, u64, &'static str); 12] {
        [
            ("costeer_positions_total", self.positions, "Tokens picked."),
            (
                "costeer_reasoning_positions_total",
                self.reasoning,
                "Tokens of the upstream's reasoning, with what marks it.",
            ),
            (
                "costeer_call_positions_total",
                self.calls,
                "Tokens of calls of tools that are the upstream's alone, with what marks them.",
            ),
            (
                "costeer_changed_positions_total",
                self.changed,
                "Tokens picked that are not the upstream's likeliest.",
            ),
            (
                "costeer_passed_positions_total",
                self.passed,
                "Tokens passed through unsteered, because steering was bypassed.",
            ),
            (
                "costeer_forced_positions_total",
                self.forced,
                "Tokens that an answer's format left no choice about.",
            ),
            (
                "costeer_certified_positions_total",
                self.certified,
                "Tokens proved to be the whole vocabulary's pick.",
            ),
            (
                "costeer_refetched_positions_total",
                self.refetched,
                "Tokens proved to be it after asking for more.",
            ),
            (
                "costeer_uncertified_positions_total",
                self.uncertified,
                "Tokens not proved to be it.",
            ),
            (
                "costeer_upstream_requests_total",
                self.upstream_requests,
                "Requests to the upstream for positions.",
            ),
            (
                "costeer_refetch_requests_total",
                self.refetch_requests,
                "Requests to the upstream for more of a position.",
            ),
            (
                "costeer_wasted_tokens_total",
                self.wasted_tokens,
                "Positions the upstream computed that were not used.",
            ),
        ]
    }
}
