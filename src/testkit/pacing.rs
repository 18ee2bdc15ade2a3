use std::time::Duration;

/// How much slower than it could be the server answers, to stand in for a remote one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pacing {
    /// Before every answer, like a network's round trip.
    pub delay: Duration,
    /// Before every token, like a big model's step.
    pub pace: Duration,
}

impl Pacing {
    /// Waits as long as a request takes to arrive.
    pub async fn request(&self) {
        pause(self.delay).await;
    }

    /// Waits as long as a token takes to compute.
    pub async fn token(&self) {
        pause(self.pace).await;
    }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
