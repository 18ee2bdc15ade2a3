use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Whether a server should be asked. It is healthy from its first answer on, until it fails. After a failure it has a cooldown, which is
/// longer with every failure in a row. It is asked again when the cooldown is over, or when every other server has failed, too.
#[derive(Default)]
pub struct Health(Mutex<State>);

#[derive(Clone, Copy, Default)]
struct State {
    heard: Heard,
    failures: u32,
    cooldown_until: Option<Instant>,
    /// Whether the server has asked for the cooldown itself.
    is_asked_for: bool,
}

/// What a server has said so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Heard {
    /// Nothing.
    #[default]
    Nothing,
    /// That it wants a key, or another one.
    WantsKey,
    /// That it cannot do what the proxy itself has asked for.
    Refusal,
    /// An answer.
    Answer,
}

const FIRST_COOLDOWN: Duration = Duration::from_millis(500);
/// A server that is back is noticed after this long at the latest.
const LONGEST_COOLDOWN: Duration = Duration::from_secs(30);

impl Health {
    /// It answered as it should.
    pub fn worked(&self) {
        *self.state() = State {
            heard: Heard::Answer,
            ..State::default()
        };
    }

    /// It refused a request for the sake of the key alone, so it is there.
    pub fn wanted_a_key(&self) {
        self.is_there(Heard::WantsKey);
    }

    /// It understood what the proxy asked on its own account, and refused that. A client's question may be another matter.
    pub fn refused_a_look(&self) {
        self.is_there(Heard::Refusal);
    }

    fn is_there(&self, heard: Heard) {
        let mut state = self.state();
        if state.heard == Heard::Nothing || state.failures > 0 {
            *state = State {
                heard,
                ..State::default()
            };
        }
    }

    /// It failed, and asked for `pause` before the next request, where it could still speak.
    pub fn failed(&self, pause: Option<Duration>) {
        let mut state = self.state();
        let doubled = FIRST_COOLDOWN.saturating_mul(1 << state.failures.min(16));
        let cooldown = pause.unwrap_or(doubled).min(LONGEST_COOLDOWN);
        state.failures = state.failures.saturating_add(1);
        state.cooldown_until = Some(Instant::now() + cooldown);
        state.is_asked_for = pause.is_some();
    }

    /// Whether it has asked to be left alone for now.
    pub fn is_pausing(&self) -> bool {
        self.state().is_asked_for && !self.cooldown().is_zero()
    }

    /// What it last said, if it has not failed since.
    pub fn heard(&self) -> Option<Heard> {
        let state = self.state();
        (state.failures == 0).then_some(state.heard)
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
        assert_eq!(health.heard(), None);
        health.worked();
        assert_eq!(
            (health.cooldown(), health.heard()),
            (Duration::ZERO, Some(Heard::Answer))
        );
    }

    #[test]
    fn a_server_that_wants_a_key_is_there_and_one_that_has_answered_stays_so() {
        let health = Health::default();
        assert_eq!(health.heard(), Some(Heard::Nothing));
        health.failed(None);
        health.wanted_a_key();
        assert_eq!(
            (health.cooldown(), health.heard()),
            (Duration::ZERO, Some(Heard::WantsKey))
        );
        health.worked();
        health.wanted_a_key();
        assert_eq!(health.heard(), Some(Heard::Answer));
    }

    #[test]
    fn a_server_that_asks_for_a_pause_gets_that_one() {
        let health = Health::default();
        health.failed(Some(Duration::from_secs(7)));
        let cooldown = health.cooldown();
        assert!(cooldown > Duration::from_secs(6) && cooldown <= Duration::from_secs(7));
        assert!(health.is_pausing());
        health.failed(None);
        assert!(!health.is_pausing());
        health.failed(Some(Duration::ZERO));
        assert!(!health.is_pausing());
    }
}
