//! How Δ is spread over the tokens that are not listed. There are as many as the vocabulary has, at each position and for each floor,
//! so those of nearly the same Δ are put together.

use super::place::Share;
use crate::steering::Delta;

/// Tokens of this range of Δ are one part, in nats. What differs within it changes E[exp(c·Δ)] by about c² · WIDTH² / 24.
const WIDTH: f64 = 0.25;

/// No Δ beyond it is told apart.
const FARTHEST: f64 = 40.0;

/// A part that weighs less than this at every strength up to [`STRONGEST`] is left out.
const LEAST: f64 = 1e-7;
const STRONGEST: f64 = 4.0;

/// The parts for each of `deltas`, which are one position's with different floors. `listed` are the tokens that are left out.
pub fn spread(deltas: &[Delta<'_>], listed: &[usize]) -> Vec<Vec<Share>> {
    let Some(first) = deltas.first() else {
        return Vec::new();
    };
    let mut left: Vec<(usize, f64)> = (0..first.vocabulary())
        .filter(|index| !listed.contains(index))
        .map(|index| (index, first.public(index).map_or(f64::NEG_INFINITY, f64::from)))
        .filter(|(_, public)| *public > f64::NEG_INFINITY)
        .collect();
    let largest = left.iter().map(|(_, public)| *public).fold(f64::NEG_INFINITY, f64::max);
    for (_, mass) in &mut left {
        *mass = (*mass - largest).exp();
    }
    let total: f64 = left.iter().map(|(_, mass)| mass).sum();
    let each = deltas.iter().map(|delta| {
        let zero = delta.zero();
        let parts = (2.0 * FARTHEST / WIDTH) as usize + 1;
        let mut sums = vec![(0.0, 0.0); parts];
        for (index, mass) in &left {
            let delta = (delta.of(*index) - zero).clamp(-FARTHEST, FARTHEST);
            let part = ((delta + FARTHEST) / WIDTH).round() as usize;
            if let Some((masses, pulls)) = sums.get_mut(part.min(parts - 1)) {
                *masses += mass / total;
                *pulls += delta * mass / total;
            }
        }
        let shares = sums.into_iter().filter(|(mass, _)| *mass > 0.0);
        let shares = shares.map(|(mass, pull)| Share(mass, pull / mass));
        let counts = |share: &Share| share.mass() * (STRONGEST * share.delta()).exp().max(1.0) >= LEAST;
        shares.filter(counts).collect()
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_pull_as_their_tokens_do(
            public in prop::collection::vec(-9.0f32..9.0, 60),
            private in prop::collection::vec(-9.0f32..9.0, 60),
            listed in prop::collection::vec(0usize..60, 0..20),
            floor in prop::sample::select(vec![0.0, 1e-4]),
            strength in 0.0f64..2.0,
        ) {
            let delta = || Delta::new(&private, &public, floor).unwrap();
            let own = delta();
            let left = (0..60usize).filter(|index| !listed.contains(index));
            let mass: f64 = left.clone().map(|index| f64::from(public[index]).exp()).sum();
            let exact: f64 = left
                .map(|index| f64::from(public[index]).exp() / mass * (strength * (own.of(index) - own.zero())).exp())
                .sum();
            let shares = &spread(&[delta()], &listed)[0];
            let found: f64 = shares.iter().map(|share| share.mass() * (strength * share.delta()).exp()).sum();
            prop_assert!((found / exact - 1.0).abs() < 0.04, "{found} for {exact}");
        }
    }

    #[test]
    fn what_is_listed_is_left_out() {
        let (public, private) = ([0.0, 0.0, 0.0], [0.0, 1.0, 1.0]);
        let deltas = || [Delta::new(&private, &public, 0.0).unwrap()];
        let shares = spread(&deltas(), &[0]);
        assert_eq!(shares[0].len(), 1);
        assert!((shares[0][0].mass() - 1.0).abs() < 1e-12);
        // Nothing is left, or nothing was asked.
        assert_eq!(spread(&deltas(), &[0, 1, 2]), [Vec::new()]);
        assert!(spread(&[], &[]).is_empty());
    }
}
