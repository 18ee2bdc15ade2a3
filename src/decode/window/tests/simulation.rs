//! An answer in virtual time: an upstream that streams, a local engine, drafts that break, and a window that chooses.

use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::{Lookahead, Outcome, Window};

/// How a session has its local model compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// One position a pass, which starts as soon as the token before it is picked.
    Ahead,
    /// One position a pass, which starts when the upstream's position is there.
    Single,
    /// Blocks of up to 16 positions, in the proportions that were measured for llama.cpp on a CPU.
    Blocks,
}

/// Positions a pass, and the time beside a pass over one: 23.1 ms, 4 × 11.1 ms, 8 × 10.9 ms.
const MEASURED: [(f64, f64); 3] = [(1.0, 1.0), (4.0, 1.92), (8.0, 3.77)];

impl Engine {
    pub fn most(self) -> usize {
        match self {
            Self::Ahead | Self::Single => 1,
            Self::Blocks => 16,
        }
    }

    /// A pass beside one over one position.
    fn factor(positions: usize) -> f64 {
        let [first, middle, last] = MEASURED;
        let (from, to) = if (positions as f64) < middle.0 {
            (first, middle)
        } else {
            (middle, last)
        };
        from.1 + (positions as f64 - from.0) * (to.1 - from.1) / (to.0 - from.0)
    }
}

/// Both sides; times in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Regime {
    pub engine: Engine,
    /// A position at the upstream.
    pub pace: f64,
    /// Before a request's first position is computed.
    pub delay: f64,
    /// A local pass over one position.
    pub local: f64,
}

/// A draft as it ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    pub used: usize,
    pub unused: usize,
    /// Ended because too many positions waited.
    pub cut: bool,
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub seconds: f64,
    /// When each token was picked.
    pub picked_at: Vec<f64>,
    pub drafts: Vec<Ended>,
}

impl Answer {
    pub fn used(&self) -> usize {
        self.drafts.iter().map(|draft| draft.used).sum()
    }

    pub fn wasted(&self) -> usize {
        self.drafts.iter().map(|draft| draft.unused).sum()
    }
}

/// At which of so many positions the pick is not the draft.
pub fn changes(tokens: usize, chance: f64, seed: u64) -> Vec<bool> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..tokens).map(|_| random.random_bool(chance)).collect()
}

/// Times are within a fifth of what they should be, and one in fifty is three times as long.
struct Clock(ChaCha8Rng);

impl Clock {
    fn about(&mut self, seconds: f64) -> f64 {
        let slow = if self.0.random_bool(0.02) { 3.0 } else { 1.0 };
        seconds * slow * self.0.random_range(0.8..1.2)
    }
}

/// Plays an answer with a token for each of `changes`.
pub fn play(regime: &Regime, lookahead: Lookahead, changes: &[bool], seed: u64) -> Answer {
    let mut window = Window::new(lookahead);
    let mut clock = Clock(ChaCha8Rng::seed_from_u64(seed));
    let mut answer = Answer::default();
    let mut now = 0.0;
    let mut token = 0;
    while token < changes.len() {
        let ask = window.ask(changes.len() - token);
        let sent = now;
        let mut arrivals = Vec::new();
        let mut last = sent + clock.about(regime.delay);
        for _ in 0..ask.positions {
            last += clock.about(regime.pace);
            arrivals.push(last);
        }
        let came = |now: f64, end: usize| arrivals.iter().take(end).filter(|arrival| **arrival <= now).count();
        let mut end = ask.positions;
        let mut used = 0;
        let mut broke = false;
        while used < end && token < changes.len() && !broke {
            if regime.engine != Engine::Ahead {
                now = arrivals[used].max(now);
            }
            let at_hand = came(now, end).saturating_sub(used);
            let block = window.block(at_hand, regime.engine.most());
            let took = clock.about(regime.local) * Engine::factor(block);
            window.checked(block, Duration::from_secs_f64(took));
            now += took;
            if regime.engine == Engine::Ahead {
                now = arrivals[used].max(now);
            }
            if came(now, end) >= used + ask.unread {
                end = end.min(used + ask.unread);
            }
            for _ in 0..block {
                used += 1;
                token += 1;
                answer.picked_at.push(now);
                broke = changes[token - 1];
                if broke || token == changes.len() {
                    break;
                }
            }
        }
        let came = came(now, end);
        let unused = came - used + usize::from(came < ask.positions);
        answer.drafts.push(Ended {
            used,
            unused,
            cut: end < ask.positions,
        });
        window.learn(Outcome {
            used,
            unused,
            broke,
            delay: arrivals.first().map(|first| Duration::from_secs_f64(first - sent)),
            pace: (came > 1).then(|| Duration::from_secs_f64((arrivals[came - 1] - arrivals[0]) / (came - 1) as f64)),
        });
    }
    answer.seconds = now;
    answer
}
