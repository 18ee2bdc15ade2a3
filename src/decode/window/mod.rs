//! How many positions to ask of the upstream in one request, and how many to check in one local pass, by what they cost.
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | s | the chance that a pick equals its draft | |
//! | d | from sending a request to its first position | seconds |
//! | u | from one position of a request to the next | seconds |
//! | L(b) | a local pass over b positions | seconds |
//! | E(n) | tokens that n drafted positions bring, the first pick that differs with them: (1 − sⁿ) / (1 − s) | tokens |
//!
//! **A block.** A pass over b positions costs L(b) and brings E(b) tokens. The block is the b with the least L(b) / E(b).
//!
//! **A window.** A draft of n positions is played through as if all picks equalled it. The first position comes after d, and
//! each further one u later. Whenever at least one is at hand, the best block of those at hand is checked. Meanwhile more come. Each
//! step counts as much as it is likely to be reached, which is s to the power of the positions before it. So the time
//! a token is
//!
//! > T(n) = Σ over the passes of s^(positions before it) · (wait before it + L(b)) / E(n)   seconds a token.
//!
//! In blocks of one that is (d + L(1) + (E(n) − 1) · max(u, L(1))) / E(n). The window is the smallest n whose time is hardly
//! above the least.
//!
//! **Estimates.** d and u are the middle of the last few drafts', and L(b) that of the last few passes over b positions. Instead
//! of a fixed s there is the chance after so many picks that were equal, which rises from pick to pick ([`survival`]): while little
//! is known, drafts that last long are likelier than powers of the mean say.
//!
//! **Waste.** While the upstream is the slower side, a broken draft wastes the one position that the upstream is at. While it
//! is the faster side, it gets ahead by L/u − 1 positions with each one that is picked, until the window is computed; a draft that
//! breaks then wastes its lead. The same play says how much to expect, and windows that would waste more than the allowance are left
//! out ([`allowance`]).

mod allowance;
mod expected;
mod passes;
mod recent;
mod survival;
#[cfg(test)]
mod tests;

use std::iter::successors;
use std::time::Duration;

use allowance::Allowance;
use expected::Costs;
use passes::Passes;
use recent::Recent;
use survival::Survival;

/// How many positions to ask of the upstream in one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lookahead {
    /// Always as many. 1 is the paper's protocol: a request for every token.
    Fixed(usize),
    /// As many as make a token cheapest, within bounds.
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
    /// How many positions may wait unread. When so many wait and more were asked for, the request is ended.
    pub unread: usize,
}

/// How a draft ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Positions taken from it.
    pub used: usize,
    /// Positions computed and not taken.
    pub unused: usize,
    /// A pick differed from its draft. Otherwise the draft was used up, or the answer ended.
    pub broke: bool,
    /// From sending the request to its first position.
    pub delay: Option<Duration>,
    /// The mean time from one position to the next, where two came.
    pub pace: Option<Duration>,
}

/// A block that is worth waiting for.
#[derive(Clone, Copy, Debug)]
pub struct BetterBlock {
    /// How many positions it checks.
    pub positions: usize,
    /// How long the wait pays.
    pub patience: Duration,
}

/// Seconds to a request's first position, before any was measured.
const DELAY: f64 = 0.1;
/// Seconds from one position to the next, before any were measured.
const PACE: f64 = 0.02;
/// Shorter times are taken for this one.
const SHORTEST: f64 = 1e-6;
/// A window may cost so much more than the cheapest: a smaller one wastes less where the estimates are wrong.
const NEARLY: f64 = 1.03;

/// The window of one session, which learns from how its drafts end and from how long local passes take.
#[derive(Clone, Debug)]
pub struct Window {
    lookahead: Lookahead,
    allowance: Allowance,
    survival: Survival,
    delay: Recent,
    pace: Recent,
    passes: Passes,
}

impl Window {
    /// For a new session.
    pub fn new(lookahead: Lookahead) -> Self {
        let waste = match lookahead {
            Lookahead::Fixed(_) => 0.0,
            Lookahead::Adaptive { waste, .. } => waste,
        };
        Self {
            lookahead,
            allowance: Allowance::new(waste),
            survival: Survival::default(),
            delay: Recent::default(),
            pace: Recent::default(),
            passes: Passes::default(),
        }
    }

    /// What to ask for when `left` more tokens are wanted.
    pub fn ask(&self, left: usize) -> Ask {
        match self.lookahead {
            Lookahead::Fixed(positions) => {
                let positions = positions.min(left).max(1);
                Ask {
                    positions,
                    unread: positions,
                }
            }
            Lookahead::Adaptive { most, .. } => self.cheapest(most.min(left).max(1)),
        }
    }

    /// The same where every pick is its draft: as much as may be asked for.
    pub fn ask_all(&self, left: usize) -> Ask {
        match self.lookahead {
            Lookahead::Fixed(_) => self.ask(left),
            Lookahead::Adaptive { most, .. } => Ask {
                positions: most.min(left).max(1),
                unread: self.allowance.left().max(1),
            },
        }
    }

    /// How many of `at_hand` positions to check in one local pass, which can take `most`. It is one where none is at hand.
    pub fn block(&self, at_hand: usize, most: usize) -> usize {
        let sizes = self.passes.best(at_hand.min(most), &self.survival);
        sizes.last().map_or(1, |(positions, _)| *positions)
    }

    /// What to wait for where nothing is drafted yet: a block that costs so much less a token than a pass over one position that it
    /// is worth the wait for its draft. `None` where it is not.
    pub fn better_block(&self, most: usize) -> Option<BetterBlock> {
        let (positions, seconds) = self.passes.best(most, &self.survival).pop()?;
        let tokens: f64 = self.survival.chances().take(positions).sum();
        let Costs { delay, pace, .. } = self.costs();
        let wait = delay + pace * positions.saturating_sub(2) as f64;
        let saved = self.passes.seconds(1) - seconds / tokens;
        (positions > 1 && wait < saved).then(|| BetterBlock {
            positions,
            patience: Duration::from_secs_f64(saved),
        })
    }

    /// Learns from a draft that has ended.
    pub fn learn(&mut self, outcome: Outcome) {
        self.allowance.learn(outcome.used, outcome.unused);
        self.survival.learn(outcome.used, outcome.broke);
        if let Some(delay) = outcome.delay {
            self.delay.add(delay.as_secs_f64());
        }
        if let Some(pace) = outcome.pace {
            self.pace.add(pace.as_secs_f64());
        }
    }

    /// Learns that a local pass over so many positions took so long.
    pub fn checked(&mut self, positions: usize, took: Duration) {
        self.passes.add(positions, took.as_secs_f64());
    }

    /// The smallest window that is hardly dearer than the cheapest of all; where none of them may be asked for because of
    /// what it would waste, the cheapest that may.
    fn cheapest(&self, most: usize) -> Ask {
        let costs = self.costs();
        let share = self.allowance.share();
        let mut least = f64::INFINITY;
        let mut allowed = Vec::new();
        for positions in sizes(most) {
            least = least.min(costs.of(positions, positions).seconds_a_token());
            let Some(ask) = self.bounded(positions) else { continue };
            let expected = costs.of(ask.positions, ask.unread);
            if positions == 1 || expected.wasted <= share * expected.tokens {
                allowed.push((ask, expected.seconds_a_token()));
            }
        }
        let nearly = allowed.iter().find(|(_, time)| *time <= least * NEARLY);
        let cheapest = allowed.iter().min_by(|left, right| left.1.total_cmp(&right.1));
        let one = Ask {
            positions: 1,
            unread: 1,
        };
        nearly.or(cheapest).map_or(one, |(ask, _)| *ask)
    }

    /// A window of so many positions that cannot waste more than is allowed, whatever happens; none if there is none.
    fn bounded(&self, positions: usize) -> Option<Ask> {
        let allowed = self.allowance.left();
        let unread = if positions <= allowed + 1 {
            // The position that is picked from is not at risk.
            positions
        } else {
            // Those that wait are, and so is the one that the upstream is at.
            allowed.saturating_sub(1)
        };
        (unread > 0).then_some(Ask { positions, unread })
    }

    fn costs(&self) -> Costs {
        // Only sizes that were measured: whether an engine takes larger blocks is not known here.
        let blocks = self.passes.best(self.passes.largest(), &self.survival);
        let delay = self.delay.middle().unwrap_or(DELAY);
        // A request's first position has to be computed like any other, so one takes no longer than a whole request. Windows of one
        // measure no pace, and a wrong one must not keep the window there.
        let pace = self.pace.middle().unwrap_or(PACE).min(delay);
        Costs {
            survival: self.survival.clone(),
            delay,
            pace: pace.max(SHORTEST),
            blocks,
        }
    }
}

/// Windows to choose from: each number at first, then in steps of a quarter, and the largest.
fn sizes(most: usize) -> impl Iterator<Item = usize> {
    successors(Some(1), move |size| {
        let next = size + (size / 4).max(1);
        (*size < most).then_some(next.min(most))
    })
}
