use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Whether a server should be asked. After a failure it has a cooldown, which is longer with every failure in a row. It is asked
/// again when the cooldown is over, or when every other server has failed, too.
#[derive(Default)]
pub struct Health(Mutex<State>);

#[derive(Clone, Copy, Default)]
struct State {
    failures: u32,
    cooldown_until: Option<Instant>,
}

const FIRST_COOLDOWN: Duration = Duration::from_millis(500);
/// A server that is back is noticed after this long at the latest.
const LONGEST_COOLDOWN: Duration = Duration::from_secs(30);

impl Health {
    /// It answered as it should.
    pub fn worked(&self) {
        *self.state() = State::default();
    }

    /// It failed, and asked for `pause` before the next request, where it could still speak.
    pub fn failed(&self, pause: Option<Duration>) {
        let mut state = self.state();
        let doubled = FIRST_COOLDOWN.saturating_mul(1 << state.failures.min(16));
        let cooldown = pause.unwrap_or(doubled).min(LONGEST_COOLDOWN);
        state.failures = state.failures.saturating_add(1);
        state.cooldown_until = Some(Instant::now() + cooldown);
    }

    /// Whether it has no cooldown.
    pub fn is_healthy(&self) -> bool {
        self.cooldown().is_zero()
    }

    /// How much of its cooldown is left; zero for a healthy one.
    pub fn cooldown(&self) -> Duration {
        let until = self.state().cooldown_until;
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cooldowns_grow_and_end_with_the_first_success() {
        let health = Health::default();
        assert_eq!(health.cooldown(), Duration::ZERO);
        let mut before = Duration::ZERO;
        for _ in 0..40 {
            health.failed(None);
            assert!(health.cooldown() <= LONGEST_COOLDOWN);
            assert!(health.cooldown() + Duration::from_millis(100) > before);
            before = health.cooldown();
        }
        assert!(before > LONGEST_COOLDOWN - Duration::from_secs(1));
        health.worked();
        assert_eq!(health.cooldown(), Duration::ZERO);
    }

    #[test]
    fn a_server_that_asks_for_a_pause_gets_that_one() {
        let health = Health::default();
        health.failed(Some(Duration::from_secs(7)));
        let cooldown = health.cooldown();
        assert!(cooldown > Duration::from_secs(6) && cooldown <= Duration::from_secs(7));
    }
}
