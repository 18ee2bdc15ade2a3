/// Measurements that are kept.
const KEPT: usize = 7;

/// The middle of the last few measurements, in seconds: a single slow one changes nothing, and a lasting change soon counts.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    /// The oldest first.
    seen: Vec<f64>,
}

impl Recent {
    pub fn add(&mut self, seconds: f64) {
        if self.seen.len() == KEPT {
            self.seen.remove(0);
        }
        self.seen.push(seconds);
    }

    /// The middle one. Of two in the middle it is the smaller: what is slow by accident is more common than what is fast.
    pub fn middle(&self) -> Option<f64> {
        let mut sorted = self.seen.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len().saturating_sub(1) / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_one_changes_nothing_and_a_lasting_change_counts() {
        let mut recent = Recent::default();
        assert_eq!(recent.middle(), None);
        recent.add(9.0);
        recent.add(1.0);
        assert_eq!(recent.middle(), Some(1.0));
        (0..3).for_each(|_| recent.add(1.0));
        recent.add(50.0);
        assert_eq!(recent.middle(), Some(1.0));
        (0..4).for_each(|_| recent.add(2.0));
        assert_eq!(recent.middle(), Some(2.0));
    }
}
