use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The randomness of one position: a Gumbel variable for every token of the vocabulary, times the temperature.
///
/// The token with the largest `score + T·G` is a draw from `softmax(score / T)` (the Gumbel-max trick). A token's noise
/// depends on seed, position and token alone. So neither the way a position arrived nor the list a token came in can
/// change what is drawn, and a token that is not listed can be proved to lose.
#[derive(Clone)]
pub struct Noise {
    /// At the first word of the position's own stream.
    generator: ChaCha8Rng,
    temperature: f64,
}

impl Noise {
    /// The noise of `position`; none at all at temperature 0.
    pub fn new(seed: u64, position: u64, temperature: f64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(position);
        Self { generator, temperature }
    }

    /// Whether there is none.
    #[inline]
    pub fn is_silent(&self) -> bool {
        self.temperature == 0.0
    }

    /// `T·G` of the token at `index`.
    pub fn of(&self, index: usize) -> f64 {
        if self.is_silent() {
            return 0.0;
        }
        let mut generator = self.generator.clone();
        generator.set_word_pos(2 * index as u128);
        self.temperature * gumbel(generator.next_u64())
    }

    /// What `T·G` comes to for one token in some hundreds.
    pub(super) fn in_one_of_hundreds(&self) -> f64 {
        6.0 * self.temperature
    }

    /// An upper bound of `T·G` for the tokens 0, 1, 2, … in turn, at a few nanoseconds each.
    pub fn bounds(&self) -> impl Iterator<Item = f64> + use<> {
        let mut generator = self.generator.clone();
        let temperature = self.temperature;
        std::iter::repeat_with(move || temperature * gumbel_at_most(generator.next_u64()))
    }
}

/// −ln(−ln u) of the uniform variable u in (0, 1) that `bits` hold.
#[inline]
fn gumbel(bits: u64) -> f64 {
    // 52 bits and a half: neither 0 nor 1 can come out, and both ends are exact.
    let uniform = ((bits >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
    -(-uniform.ln()).ln()
}

/// At least [`gumbel`], without a logarithm: −ln u > 1 − u, so G < −ln(1 − u), and 1 − u is at least the power of two
/// that its leading zeros show.
#[inline]
fn gumbel_at_most(bits: u64) -> f64 {
    let rest = !bits >> 12;
    // `rest` has 52 bits; the half that `gumbel` adds makes 1 − u at least half a unit.
    f64::from((rest.leading_zeros() - 12 + 1).min(53)) * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ends_are_finite() {
        assert!(gumbel(0) > -4.0 && gumbel(u64::MAX) < 37.0);
    }

    #[test]
    fn noise_has_gumbels_mean_and_variance() {
        let noise = Noise::new(5, 9, 2.0);
        let draws: Vec<f64> = (0..200_000).map(|index| noise.of(index) / 2.0).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!((mean - 0.577_216).abs() < 0.02, "{mean}");
        assert!((variance - 1.644_934).abs() < 0.05, "{variance}");
    }

    proptest! {
        #[test]
        fn the_bound_holds(bits: u64, small in 0u32..64) {
            for bits in [bits, bits >> small, !(bits >> small)] {
                prop_assert!(gumbel(bits) <= gumbel_at_most(bits) + 1e-12);
            }
        }

        #[test]
        fn bounds_come_in_the_order_of_tokens(seed: u64, position: u64, temperature in 0.0f64..3.0) {
            let noise = Noise::new(seed, position, temperature);
            for (index, bound) in noise.bounds().take(100).enumerate() {
                prop_assert!(noise.of(index) <= bound + 1e-12);
            }
        }
    }
}
