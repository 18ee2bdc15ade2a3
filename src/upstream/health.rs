use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Whether a server should be asked: one that has failed rests, longer with every failure in a row, and is asked again when
/// the rest is over or nobody else is left.
#[derive(Default)]
pub struct Health(Mutex<State>);

#[derive(Clone, Copy, Default)]
struct State {
    failures: u32,
    rests_until: Option<Instant>,
}

const FIRST_REST: Duration = Duration::from_millis(500);
/// A server that is back is noticed after this long at the latest.
const LONGEST_REST: Duration = Duration::from_secs(30);

impl Health {
    /// It answered as it should.
    pub fn worked(&self) {
        *self.state() = State::default();
    }

    /// It failed, and asked for `pause` before the next request, where it could still speak.
    pub fn failed(&self, pause: Option<Duration>) {
        let mut state = self.state();
        let doubled = FIRST_REST.saturating_mul(1 << state.failures.min(16));
        let rest = pause.unwrap_or(doubled).min(LONGEST_REST);
        state.failures = state.failures.saturating_add(1);
        state.rests_until = Some(Instant::now() + rest);
    }

    /// How much of its rest is left; zero for one that is well.
    pub fn rest(&self) -> Duration {
        let until = self.state().rests_until;
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
    fn rests_grow_and_end_with_the_first_success() {
        let health = Health::default();
        assert_eq!(health.rest(), Duration::ZERO);
        let mut before = Duration::ZERO;
        for _ in 0..40 {
            health.failed(None);
            assert!(health.rest() <= LONGEST_REST);
            assert!(health.rest() + Duration::from_millis(100) > before);
            before = health.rest();
        }
        assert!(before > LONGEST_REST - Duration::from_secs(1));
        health.worked();
        assert_eq!(health.rest(), Duration::ZERO);
    }

    #[test]
    fn a_server_that_asks_for_a_pause_gets_that_one() {
        let health = Health::default();
        health.failed(Some(Duration::from_secs(7)));
        let rest = health.rest();
        assert!(rest > Duration::from_secs(6) && rest <= Duration::from_secs(7));
    }
}
