use std::time::Duration;

/// How long a piece of a prompt may hold up the answers of others.
const STALL: Duration = Duration::from_millis(150);

/// Tokens of a prompt worth computing at once, at least.
const LEAST: usize = 16;

/// How much of a prompt to compute at once.
#[derive(Default)]
pub struct Pieces {
    /// Tokens of prompts that are computed in a second; 0 before the first.
    rate: f64,
}

impl Pieces {
    /// Tokens of the next piece, of at most `batch`. Where nobody else is about, there is nobody to hold up.
    pub fn next(&self, batch: usize, others: bool) -> usize {
        if !others {
            return batch;
        }
        let within = (self.rate * STALL.as_secs_f64()) as usize;
        within.clamp(LEAST, batch.max(LEAST))
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

    #[test]
    fn others_wait_for_no_more_than_a_moment() {
        let mut pieces = Pieces::default();
        assert_eq!(pieces.next(256, false), 256);
        assert_eq!(pieces.next(256, true), LEAST);
        pieces.learn(256, Duration::from_millis(512));
        assert_eq!(pieces.next(256, true), 75);
        for _ in 0..20 {
            pieces.learn(256, Duration::from_millis(10));
        }
        assert_eq!(pieces.next(256, true), 256);
    }
}
