use std::ops::RangeInclusive;
use std::time::Duration;

/// How long a piece of a prompt may hold up the answers of others.
const STALL: Duration = Duration::from_millis(100);

/// How much of a prompt to compute at once.
#[derive(Default)]
pub struct Pieces {
    /// Tokens of prompts that are computed in a second; 0 before the first.
    rate: f64,
}

impl Pieces {
    /// Tokens of the next piece, where `left` are left: at most `bounds.end()`, and at least `bounds.start()` where that many are left, now
    /// and afterwards. Where there are no `others`, there is nobody to hold up.
    pub fn next(&self, left: usize, bounds: &RangeInclusive<usize>, others: bool) -> usize {
        let (least, most) = (*bounds.start(), *bounds.end());
        let within = (self.rate * STALL.as_secs_f64()) as usize;
        let most = if others { within.clamp(least, most) } else { most };
        match left {
            _ if left <= most => left,
            // What remains would have to be filled up.
            _ if left - most < least => (left - least).max(least.min(most)),
            _ => most,
        }
    }

    /// A piece has been computed.
    pub fn learn(&mut self, tokens: usize, took: Duration) {
        let rate = tokens as f64 / took.as_secs_f64().max(1e-6);
        self.rate = if self.rate == 0.0 {
            rate
        } else {
            0.7 * self.rate + 0.3 * rate
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: RangeInclusive<usize> = 16..=256;

    #[test]
    fn others_wait_for_no_more_than_a_moment() {
        let mut pieces = Pieces::default();
        assert_eq!(pieces.next(1000, &BOUNDS, false), 256);
        assert_eq!(pieces.next(1000, &BOUNDS, true), 16);
        pieces.learn(256, Duration::from_millis(512));
        assert_eq!(pieces.next(1000, &BOUNDS, true), 50);
        for _ in 0..20 {
            pieces.learn(256, Duration::from_millis(10));
        }
        assert_eq!(pieces.next(1000, &BOUNDS, true), 256);
    }

    #[test]
    fn nothing_small_remains() {
        let pieces = Pieces::default();
        assert_eq!(pieces.next(256, &BOUNDS, false), 256);
        assert_eq!(pieces.next(260, &BOUNDS, false), 244);
        assert_eq!(pieces.next(272, &BOUNDS, false), 256);
        assert_eq!(pieces.next(5, &BOUNDS, false), 5);
    }
}
