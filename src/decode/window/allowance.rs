/// The stretch of an answer over which waste evens out, in used positions.
pub const STRETCH: f64 = 64.0;

/// How many positions the upstream may still compute for nothing.
///
/// Each used position earns `waste` positions, and each wasted one costs one. No more is kept than a stretch earns. So
/// over any part of an answer the waste is at most `waste` × (positions used in it + a stretch), and an early spell of waste is
/// made good by the positions after it.
#[derive(Clone, Debug)]
pub struct Allowance {
    waste: f64,
    left: f64,
}

impl Allowance {
    pub fn new(waste: f64) -> Self {
        let left = waste * STRETCH;
        Self { waste, left }
    }

    pub fn learn(&mut self, used: usize, unused: usize) {
        let earned = (self.left + self.waste * used as f64).min(self.waste * STRETCH);
        // A server may have sent more than was asked for, which is not held against the rest of the answer.
        self.left = (earned - unused as f64).max(0.0);
    }

    /// The most that the next draft may waste.
    pub fn left(&self) -> usize {
        self.left as usize
    }

    /// The waste to plan for, as a share of the used positions: what the allowance lets through in the long run, more while much
    /// of it is left, and less while little is.
    pub fn share(&self) -> f64 {
        if self.waste > 0.0 {
            self.waste * (0.5 + self.left / (self.waste * STRETCH))
        } else {
            0.0
        }
    }
}
