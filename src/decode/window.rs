/// How many positions to ask of the upstream in one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lookahead {
    /// Always as many. 1 is the paper's protocol: a request for every token.
    Fixed(usize),
    /// As many as drafts survive, within bounds.
    Adaptive {
        /// The most.
        most: usize,
        /// Positions that may be computed for nothing, as a share of those used.
        waste: f64,
    },
}

/// How much to ask for next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Positions.
    pub positions: usize,
    /// How many positions may wait unread. When more would, the request is ended.
    pub unread: usize,
}

/// How a draft ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Positions taken from it.
    pub used: usize,
    /// Positions computed and not taken.
    pub unused: usize,
    /// The upstream computes faster than tokens are picked.
    pub ran_ahead: bool,
}

/// The window of one session, which learns from how its drafts end.
///
/// A draft is dropped at the first token that differs. Where the upstream is the slower side, hardly any position after that
/// token has been computed, so a long draft costs nothing. Where the upstream runs ahead of the picks, the positions it is
/// ahead by are wasted. So running ahead is rationed. Every token used earns a share of a position, and every position wasted
/// costs one. A draft that gets further ahead than the ration is ended; its positions that have come stay in use. After an
/// upstream has run ahead once, it is asked for no more positions than the ration.
#[derive(Clone, Debug)]
pub struct Window {
    lookahead: Lookahead,
    used: usize,
    wasted: usize,
    runs_ahead: bool,
}

/// Positions that may be wasted before any has been used.
const ALLOWANCE: f64 = 3.0;

impl Window {
    /// For a new session.
    pub fn new(lookahead: Lookahead) -> Self {
        Self {
            lookahead,
            used: 0,
            wasted: 0,
            runs_ahead: false,
        }
    }

    /// What to ask for when `left` more tokens are wanted.
    pub fn ask(&self, left: usize) -> Ask {
        let (positions, unread) = match self.lookahead {
            Lookahead::Fixed(positions) => (positions, positions),
            Lookahead::Adaptive { most, waste } => {
                let earned = ALLOWANCE + waste * self.used as f64;
                // The position that is picked from is not at risk.
                let unread = 1 + (earned as usize).saturating_sub(self.wasted);
                (if self.runs_ahead { unread.min(most) } else { most }, unread)
            }
        };
        let positions = positions.min(left).max(1);
        Ask {
            positions,
            unread: unread.min(positions),
        }
    }

    /// Learns from a draft that has ended.
    pub fn learn(&mut self, outcome: Outcome) {
        self.used += outcome.used;
        self.wasted += outcome.unused;
        self.runs_ahead = outcome.ran_ahead || outcome.unused > 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ADAPTIVE: Lookahead = Lookahead::Adaptive { most: 64, waste: 0.25 };

    #[test]
    fn a_fixed_window_stays_as_it_is() {
        let mut window = Window::new(Lookahead::Fixed(8));
        for unused in [7, 0, 3] {
            let ask = window.ask(100);
            assert_eq!((ask.positions, ask.unread), (8, 8));
            window.learn(Outcome {
                used: 1,
                unused,
                ran_ahead: true,
            });
        }
        assert_eq!(window.ask(3).positions, 3);
        assert_eq!(window.ask(0).positions, 1);
    }

    #[test]
    fn a_slower_upstream_is_asked_for_as_much_as_may_be() {
        let mut window = Window::new(ADAPTIVE);
        for _ in 0..10 {
            assert_eq!(window.ask(1000).positions, 64);
            window.learn(Outcome {
                used: 5,
                unused: 1,
                ran_ahead: false,
            });
        }
    }

    proptest! {
        /// An upstream that always has everything at once, and drafts that break after any number of tokens.
        #[test]
        fn waste_is_bounded(breaks in prop::collection::vec(1usize..40, 1..60), waste in 0.0f64..1.0) {
            let mut window = Window::new(Lookahead::Adaptive { most: 64, waste });
            let (mut used, mut wasted) = (0, 0);
            for survives in breaks {
                let ask = window.ask(10_000);
                let came = ask.unread;
                let taken = survives.min(came);
                let outcome = Outcome { used: taken, unused: came - taken, ran_ahead: true };
                used += outcome.used;
                wasted += outcome.unused;
                window.learn(outcome);
                prop_assert!(wasted as f64 <= ALLOWANCE + waste * used as f64);
            }
        }
    }
}
