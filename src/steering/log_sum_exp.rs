/// Values that are computed side by side; a compiler makes vector instructions of it.
const LANES: usize = 16;
/// Values that are summed in f32 before their sum goes to an f64.
const BLOCK: usize = 256;

/// `ln Σ exp(x)`. The exponentials are taken in f32, relative to the largest, and summed in f64 by blocks: the error stays
/// under 1e-6 nats for 150,000 entries, at a fifth of the time of f64 exponentials.
pub fn log_sum_exp(logits: &[f32]) -> f64 {
    // NaN is skipped here but not in the sum below, so the result is NaN.
    let largest = largest(logits);
    if !largest.is_finite() {
        return f64::from(largest);
    }
    let sum: f64 = logits.chunks(BLOCK).map(|block| f64::from(sum(block, largest))).sum();
    f64::from(largest) + sum.ln()
}

/// The largest value that is a number, −∞ where there is none.
fn largest(logits: &[f32]) -> f32 {
    let larger = |one: f32, other: f32| if other > one { other } else { one };
    let (rows, rest) = logits.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for row in rows {
        for (lane, logit) in lanes.iter_mut().zip(row) {
            *lane = larger(*lane, *logit);
        }
    }
    lanes.iter().chain(rest).copied().fold(f32::NEG_INFINITY, larger)
}

/// `Σ exp(x − largest)` of at most [`BLOCK`] values.
fn sum(block: &[f32], largest: f32) -> f32 {
    let (rows, rest) = block.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for row in rows {
        for (lane, logit) in lanes.iter_mut().zip(row) {
            *lane += exp(logit - largest);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|logit| exp(logit - largest)).sum::<f32>()
}

/// eˣ for x ≤ 0 to 2e-7 of its value, 0 below e⁻⁸⁷, without a branch or a call. NaN stays NaN.
///
/// x = n·ln 2 + r with a whole n and |r| ≤ ½ ln 2; eʳ is its Taylor polynomial of degree 7, in halves that do not wait
/// for each other; 2ⁿ is written into an exponent.
fn exp(x: f32) -> f32 {
    /// 1.5 · 2²³: added to a small number, it leaves that number, rounded, in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts; the first has so few bits that n times it is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const LEAST: f32 = -87.0;
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let (square, pair) = (r * r, |low: f32, high: f32| low + high * r);
    let low = pair(1.0, 1.0) + square * pair(0.5, 1.0 / 6.0);
    let high = pair(1.0 / 24.0, 1.0 / 120.0) + square * pair(1.0 / 720.0, 1.0 / 5040.0);
    let power = low + square * square * high;
    let scale = f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    if x < LEAST { 0.0 } else { power * scale }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_number_stays_so() {
        assert!(log_sum_exp(&[0.0, f32::NAN, 1.0]).is_nan());
        assert!(log_sum_exp(&[[0.0; 40], [f32::NAN; 40]].concat()).is_nan());
        assert_eq!(log_sum_exp(&[f32::NEG_INFINITY; 3]), f64::NEG_INFINITY);
        assert_eq!(log_sum_exp(&[]), f64::NEG_INFINITY);
        assert_eq!(log_sum_exp(&[1.0, f32::INFINITY]), f64::INFINITY);
        assert_eq!(log_sum_exp(&[1.0, f32::NEG_INFINITY, -1e30]), 1.0);
        assert_eq!(exp(0.0), 1.0);
    }

    #[test]
    fn a_vocabulary_is_summed_to_a_millionth() {
        let logits: Vec<f32> = (0..152_064)
            .map(|index| (index * 7_919 % 40_009) as f32 / 2_000.0)
            .collect();
        let exact: f64 = logits.iter().map(|logit| f64::from(*logit).exp()).sum::<f64>().ln();
        assert!((log_sum_exp(&logits) - exact).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn exponentials_are_those_of_f64(x in -87.0f32..=0.0) {
            let exact = f64::from(x).exp();
            prop_assert!((f64::from(exp(x)) / exact - 1.0).abs() < 2e-7);
        }

        #[test]
        fn log_sum_exp_agrees_with_f64(logits in prop::collection::vec(-60.0f32..60.0, 1..2000)) {
            let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let exact: f64 = f64::from(largest)
                + logits.iter().map(|logit| (f64::from(*logit) - f64::from(largest)).exp()).sum::<f64>().ln();
            prop_assert!((log_sum_exp(&logits) - exact).abs() < 2e-6);
        }
    }
}
