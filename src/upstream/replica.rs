use std::time::Duration;

use super::health::Health;
use super::{Problem, Server, UpstreamError};

/// One of several servers, and whether it is healthy.
pub struct Replica {
    pub server: Server,
    pub health: Health,
}

impl Replica {
    /// A server that has not failed.
    pub fn new(server: Server) -> Self {
        Self {
            server,
            health: Health::default(),
        }
    }

    /// It gave a position.
    pub fn worked(&self) {
        self.health.worked();
    }

    /// It failed in a way that may pass; gives the pause it asked for.
    pub fn failed(&self, error: &UpstreamError) -> Option<Duration> {
        let pause = match &error.problem {
            Problem::Refused {
                retry_after: Some(pause),
                ..
            } => pause.to_str().ok().and_then(|seconds| seconds.trim().parse().ok()),
            _ => None,
        };
        let pause = pause.map(Duration::from_secs);
        tracing::warn!(%error, "an upstream failed");
        self.health.failed(pause);
        self.server.suspect();
        pause
    }
}
