use std::time::Duration;

use metrics::{counter, histogram};
use serde::Serialize;

use super::pick::Exactness;

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
    /// Steered positions where it is, after asking the upstream for the tokens in doubt.
    pub refetched: u64,
    /// Steered positions where it is not proved to be.
    pub uncertified: u64,
    /// Requests for positions.
    pub upstream_requests: u64,
    /// Requests for the tokens in doubt; each has the upstream compute one position more.
    pub refetch_requests: u64,
    /// Positions the upstream computed that were not used.
    pub wasted_tokens: u64,
    /// Where the time went.
    #[serde(flatten)]
    pub time: TimeSplit,
}

impl Report {
    /// Counts a steered position: `certain` when no token outside the candidates is in doubt.
    pub(super) fn book(&mut self, exactness: Exactness, certain: bool, refetched: bool) {
        match (exactness, certain, refetched) {
            (Exactness::Off, _, _) => {}
            (_, true, false) => self.certified += 1,
            (_, true, true) => self.refetched += 1,
            (_, false, _) => self.uncertified += 1,
        }
    }

    /// Adds it all to the process' metrics.
    pub(super) fn record(&self) {
        let count = |name, value: u64| counter!(name).increment(value);
        counter!("costeer_sessions_total").increment(1);
        count("costeer_positions_total", self.positions);
        count("costeer_changed_positions_total", self.changed);
        count("costeer_passed_positions_total", self.passed);
        count("costeer_certified_positions_total", self.certified);
        count("costeer_refetched_positions_total", self.refetched);
        count("costeer_uncertified_positions_total", self.uncertified);
        count("costeer_upstream_requests_total", self.upstream_requests);
        count("costeer_refetch_requests_total", self.refetch_requests);
        count("costeer_wasted_tokens_total", self.wasted_tokens);
        let time = &self.time;
        let parts = [
            ("upstream_wait", time.upstream_wait),
            ("local_wait", time.local_wait),
            ("arithmetic", time.arithmetic),
            ("rest", time.rest()),
        ];
        for (part, spent) in parts {
            histogram!("costeer_session_part_seconds", "part" => part).record(spent.as_secs_f64());
        }
        if self.positions > 0 {
            histogram!("costeer_first_token_seconds").record(time.first_token.as_secs_f64());
            histogram!("costeer_session_seconds").record(time.total.as_secs_f64());
        }
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
    /// Everything else the session spent between its first request and now.
    pub fn rest(&self) -> Duration {
        self.total
            .saturating_sub(self.upstream_wait)
            .saturating_sub(self.local_wait)
            .saturating_sub(self.arithmetic)
    }
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // Microseconds are as much as the clock is worth.
    let micros = duration.as_micros() as f64;
    serializer.serialize_f64(micros / 1e6)
}
