use super::survival::Survival;

/// What one draft is expected to bring and to cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected {
    pub tokens: f64,
    /// From sending its request to the end of its last local pass.
    pub seconds: f64,
    /// Positions that the upstream computes for nothing.
    pub wasted: f64,
}

impl Expected {
    pub fn seconds_a_token(&self) -> f64 {
        self.seconds / self.tokens
    }
}

/// What is known about both sides.
#[derive(Clone, Debug)]
pub struct Costs {
    /// How likely picks are to equal their drafts.
    pub survival: Survival,
    /// Seconds from sending a request to its first position.
    pub delay: f64,
    /// Seconds between two positions.
    pub pace: f64,
    /// The block to check where 1, 2, 3, … positions are at hand, and the seconds that it takes. Where more are at hand than
    /// there are entries, it is the last.
    pub blocks: Vec<(usize, f64)>,
}

/// A chance so small that what follows is left out.
const NEGLIGIBLE: f64 = 1e-3;

impl Costs {
    /// Plays through a draft of so many positions, of which `unread` may wait.
    pub fn of(&self, positions: usize, unread: usize) -> Expected {
        let mut expected = Expected::default();
        let mut end = positions;
        let mut is_cut = false;
        let mut done = 0;
        let mut now = 0.0;
        // The chance that all picks so far equalled their drafts.
        let mut reached = 1.0;
        while done < end && reached > NEGLIGIBLE {
            let before = now;
            now = self.arrival(done).max(now);
            let at_hand = self.came(now).min(end) - done;
            let (block, seconds) = self.block(at_hand);
            now += seconds;
            expected.seconds += reached * (now - before);
            if !is_cut && self.came(now).min(end) >= done + unread && done + unread < end {
                end = done + unread;
                is_cut = true;
            }
            let came = self.came(now).min(end);
            // The one that the upstream is at is lost as well.
            let computed = came + usize::from(is_cut || came < end);
            for _ in 0..block {
                let chance = self.survival.chance(done);
                done += 1;
                expected.tokens += reached;
                expected.wasted += reached * (1.0 - chance) * (computed - done) as f64;
                reached *= chance;
            }
        }
        if is_cut {
            expected.wasted += reached;
        }
        expected
    }

    /// When the position with this index comes, from sending the request on.
    fn arrival(&self, index: usize) -> f64 {
        self.delay + self.pace * index as f64
    }

    /// How many positions have come by then.
    fn came(&self, now: f64) -> usize {
        if now < self.delay {
            return 0;
        }
        // What comes at this very moment has come, however it is rounded.
        ((now - self.delay) / self.pace + 1e-6) as usize + 1
    }

    fn block(&self, at_hand: usize) -> (usize, f64) {
        let entry = self.blocks.get(at_hand.saturating_sub(1));
        entry.or(self.blocks.last()).copied().unwrap_or((1, 0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(delay: f64, pace: f64, local: f64) -> Costs {
        Costs {
            survival: Survival::steady(0.8),
            delay,
            pace,
            blocks: vec![(1, local)],
        }
    }

    /// In blocks of one a draft takes d + L + (E − 1) · max(u, L).
    #[test]
    fn without_blocks_there_is_a_formula() {
        for (delay, pace, local) in [(0.2, 0.005, 0.06), (0.05, 0.04, 0.02), (0.001, 0.02, 0.02)] {
            for positions in [1, 2, 5, 16] {
                let expected = costs(delay, pace, local).of(positions, positions);
                let tokens = (1.0 - 0.8f64.powf(positions as f64)) / 0.2;
                assert!((expected.tokens - tokens).abs() < 1e-6);
                let seconds = delay + local + (tokens - 1.0) * f64::max(pace, local);
                assert!(
                    (expected.seconds - seconds).abs() < 1e-6,
                    "{positions}: {expected:?}, {seconds}"
                );
            }
        }
    }

    #[test]
    fn a_slow_upstream_wastes_the_position_it_is_at_and_a_fast_one_the_whole_draft() {
        let slow = costs(0.05, 0.04, 0.02).of(64, 64);
        assert!((slow.wasted - 1.0).abs() < 0.01, "{slow:?}");
        let fast = costs(0.2, 0.0001, 0.06).of(8, 8);
        assert!((fast.wasted - (8.0 - fast.tokens)).abs() < 1e-6, "{fast:?}");
    }

    #[test]
    fn a_draft_that_runs_too_far_ahead_ends_there() {
        let cut = costs(0.2, 0.0001, 0.06).of(64, 8);
        let short = costs(0.2, 0.0001, 0.06).of(8, 8);
        assert!((cut.tokens - short.tokens).abs() < 1e-6, "{cut:?}");
        assert!((cut.wasted - short.wasted - 1.0).abs() < 1e-6, "{cut:?}");
    }
}
