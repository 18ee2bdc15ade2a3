use std::time::Duration;

use serde::Serialize;

/// What a session cost and did, so far.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Tokens picked, the end of turn included.
    pub positions: u64,
    /// Positions where another token than the upstream's likeliest was picked; above temperature 0 the draw does that too.
    pub changed: u64,
    /// Positions where the candidates' best is proved to be the best of the whole vocabulary.
    pub certified: u64,
    /// Positions where it is not.
    pub uncertified: u64,
    /// Requests sent to the upstream.
    pub upstream_requests: u64,
    /// Where the time went.
    #[serde(flatten)]
    pub time: TimeSplit,
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
