use std::time::Duration;

use serde::Serialize;

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
    /// Computing of the local model: the slower branch of each position, waited for or not.
    #[serde(rename = "local_compute_seconds", serialize_with = "seconds")]
    pub local_compute: Duration,
    /// Scoring, certifying and drawing.
    #[serde(rename = "arithmetic_seconds", serialize_with = "seconds")]
    pub arithmetic: Duration,
}

impl TimeSplit {
    /// Adds the times of a session that came after it.
    pub(super) fn add(&mut self, other: &Self) {
        if self.first_token.is_zero() {
            self.first_token = other.first_token;
        }
        self.total += other.total;
        self.upstream_wait += other.upstream_wait;
        self.local_wait += other.local_wait;
        self.local_compute += other.local_compute;
        self.arithmetic += other.arithmetic;
    }

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
