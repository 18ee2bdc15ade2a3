use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use serde::Serialize;

use super::trace::{Certainty, Picking};

/// What a session cost and did, so far.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Tokens picked, the end of turn included; each used one position of the upstream.
    pub positions: u64,
    /// Positions where another token than the upstream's likeliest was picked; above temperature 0 the draw does that too.
    pub changed: u64,
    /// Positions the gate passed through unsteered.
    pub passed: u64,
    /// Steered positions where the pick is proved to be the one over the whole vocabulary.
    pub certified: u64,
    /// Steered positions where it is, after asking the upstream for more.
    pub refetched: u64,
    /// Steered positions where it is not proved to be.
    pub uncertified: u64,
    /// Requests for positions.
    pub upstream_requests: u64,
    /// Requests for more of a position; each has the upstream compute one position more.
    pub refetch_requests: u64,
    /// Positions the upstream computed that were not used.
    pub wasted_tokens: u64,
    /// Where the time went.
    #[serde(flatten)]
    pub time: TimeSplit,
}

impl Report {
    /// Counts a pick.
    pub(super) fn book(&mut self, picking: Picking) {
        match picking {
            Picking::Passed => self.passed += 1,
            Picking::Steered(None) | Picking::Stopped => {}
            Picking::Steered(Some(Certainty::Certified)) => self.certified += 1,
            Picking::Steered(Some(Certainty::Refetched)) => self.refetched += 1,
            Picking::Steered(Some(Certainty::Uncertified)) => self.uncertified += 1,
        }
    }

    /// Adds another session's counts and times.
    pub fn add(&mut self, other: &Self) {
        self.positions += other.positions;
        self.changed += other.changed;
        self.passed += other.passed;
        self.certified += other.certified;
        self.refetched += other.refetched;
        self.uncertified += other.uncertified;
        self.upstream_requests += other.upstream_requests;
        self.refetch_requests += other.refetch_requests;
        self.wasted_tokens += other.wasted_tokens;
        if self.time.first_token.is_zero() {
            self.time.first_token = other.time.first_token;
        }
        self.time.total += other.time.total;
        self.time.upstream_wait += other.time.upstream_wait;
        self.time.local_wait += other.time.local_wait;
        self.time.local_compute += other.time.local_compute;
        self.time.arithmetic += other.time.arithmetic;
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

    /// Says what the metrics mean. To be called once, when there is somebody to tell.
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

    fn counters(&self) -> [(&'static str, u64, &'static str); 9] {
        [
            ("costeer_positions_total", self.positions, "Tokens picked."),
            (
                "costeer_changed_positions_total",
                self.changed,
                "Tokens picked that are not the upstream's likeliest.",
            ),
            (
                "costeer_passed_positions_total",
                self.passed,
                "Tokens the gate passed through unsteered.",
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

/// The session's wall time, split. The parts overlap: local computing goes on while the upstream is waited for.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct TimeSplit {
    /// From the start of the session until now.
    #[serde(rename = "total_seconds", serialize_with = "seconds")]
    pub total: Duration,
    /// From the start to the first token.
    #[serde(rename = "first_token_seconds", serialize_with = "seconds")]
    pub first_token: Duration,
    /// Waiting for the upstream's positions.
    #[serde(rename = "upstream_wait_seconds", serialize_with = "seconds")]
    pub upstream_wait: Duration,
    /// Waiting for the local model after the upstream's position was there.
    #[serde(rename = "local_wait_seconds", serialize_with = "seconds")]
    pub local_wait: Duration,
    /// Computing of the local model: the slower branch of each position, whether anybody waited for it or not.
    #[serde(rename = "local_compute_seconds", serialize_with = "seconds")]
    pub local_compute: Duration,
    /// Scoring, certifying and drawing.
    #[serde(rename = "arithmetic_seconds", serialize_with = "seconds")]
    pub arithmetic: Duration,
}

impl TimeSplit {
    /// What was added since it was `before`.
    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            total: self.total.saturating_sub(before.total),
            first_token: self.first_token,
            upstream_wait: self.upstream_wait.saturating_sub(before.upstream_wait),
            local_wait: self.local_wait.saturating_sub(before.local_wait),
            local_compute: self.local_compute.saturating_sub(before.local_compute),
            arithmetic: self.arithmetic.saturating_sub(before.arithmetic),
        }
    }

    /// The parts of [`Self::total`], by name.
    pub fn parts(&self) -> [(&'static str, Duration); 4] {
        [
            ("upstream_wait", self.upstream_wait),
            ("local_wait", self.local_wait),
            ("arithmetic", self.arithmetic),
            ("rest", self.rest()),
        ]
    }

    /// Everything else the session spent between its first request and now.
    pub fn rest(&self) -> Duration {
        self.total
            .saturating_sub(self.upstream_wait)
            .saturating_sub(self.local_wait)
            .saturating_sub(self.arithmetic)
    }
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(in_seconds(*duration))
}

/// As reports and traces give it: microseconds are as much as the clock is worth.
pub fn in_seconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e6
}
