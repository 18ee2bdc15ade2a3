/// The most that c·Δ may move a score, M, in nats.
///
/// With it, what the private context does to the draw of a token is bounded. Let l be the scores without steering, s the
/// shifts (|s| ≤ M), T the temperature, q ∝ exp(l/T) and p ∝ exp((l + s)/T) the policies over the same candidates. Then
///
/// - `ln p_i − ln q_i = s_i/T − ln Σ_j q_j·exp(s_j/T)`, two values in ±M/T: **`|ln p − ln q| ≤ 2M/T`**, and by Hoeffding's
///   lemma, as s/T has a range of 2M/T, `KL(p‖q) ≤ M²/(2T²)`;
/// - of another private context, whose shifts are s′, `ln p_i − ln p′_i = d_i/T − ln Σ_j p′_j·exp(d_j/T)` with
///   d = s − s′ in ±2M: **`|ln p − ln p′| ≤ 4M/T`**, and `KL(p‖p′) ≤ 2M²/T²`. This is the exponential mechanism of
///   differential privacy with ε = 4M/T a token.
///
/// Neither of the two bounds can be lowered: an unlikely token that is pulled up, while all that is likely is pushed down,
/// comes as near to it as one likes. Those of several tokens add up.
///
/// Biases, presence and frequency penalties are part of l and change nothing. A repetition penalty r multiplies scores, and
/// with them what moves them: read M·max(r, 1/r) for M.
///
/// The bounds hold for tokens drawn from all candidates with a seed that the observer does not know. A floor, a plausibility
/// limit and a bypass leave them as they are, because these look at the upstream alone or change Δ alone. They do not hold
///
/// - at temperature 0, and with `top_p`, `top_k` or `min_p`, by which Δ decides whether a token can be drawn at all;
/// - for requests that depend on Δ: refetching (and the asking for tokens the client raised) shows the upstream more than
///   picks, and where it cannot say all that is asked, the candidates themselves depend on Δ;
/// - for anything but the picks, such as how long the answer took and where it was cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cap(f64);

impl Cap {
    /// The largest accepted from a configuration, in nats. Pulls hardly ever reach it.
    pub const LIMIT: f64 = 100.0;

    /// `None`, which is no cap, for 0. A negative number or NaN gives a cap of 0: a mistake must not remove the cap.
    pub fn new(nats: f64) -> Option<Self> {
        (nats != 0.0).then(|| Self(nats.max(0.0)))
    }

    /// M.
    pub fn nats(self) -> f64 {
        self.0
    }

    /// A pull held within the cap. It never falls where `pull` rises. NaN, which is an infinite Δ at strength 0, becomes 0.
    #[inline]
    pub(super) fn cut(self, pull: f64) -> f64 {
        if pull.is_nan() {
            0.0
        } else {
            pull.clamp(-self.0, self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::candidates::candidates;
    use super::super::{Adjustments, Delta, Penalties, Policy, Rule, Scorer, Strength};
    use super::*;

    fn rule(strength: f64, cap: Option<Cap>) -> Rule {
        Rule {
            strength: Strength::new(strength).unwrap(),
            delta_floor: 0.0,
            plausibility: 0.0,
            cap,
        }
    }

    fn policy(logprobs: &[f64], delta: &Delta<'_>, rule: &Rule, adjustments: &Adjustments) -> Policy {
        let scorer = Scorer {
            candidates: &candidates(logprobs),
            delta,
            rule,
            adjustments,
            selectable: &vec![true; logprobs.len()],
        };
        scorer.policy()
    }

    fn ranking(policy: &Policy) -> Vec<usize> {
        policy.scored().iter().map(|scored| scored.candidate.index).collect()
    }

    /// ln of every candidate's chance at a temperature, by index.
    fn drawn(policy: &Policy, temperature: f64) -> BTreeMap<usize, f64> {
        let best = policy.best().unwrap().score;
        let relative = |score: f64| (score - best) / temperature;
        let each = policy.scored().iter();
        let sum: f64 = each.clone().map(|scored| relative(scored.score).exp()).sum();
        each.map(|scored| (scored.candidate.index, relative(scored.score) - sum.ln()))
            .collect()
    }

    /// The largest |ln p − ln p′| of any candidate.
    fn distance(left: &BTreeMap<usize, f64>, right: &BTreeMap<usize, f64>) -> f64 {
        assert!(left.keys().eq(right.keys()), "they are over different candidates");
        let pairs = left.values().zip(right.values());
        pairs.map(|(left, right)| (left - right).abs()).fold(0.0, f64::max)
    }

    /// Σ p·(ln p − ln p′).
    fn divergence(left: &BTreeMap<usize, f64>, right: &BTreeMap<usize, f64>) -> f64 {
        let pairs = left.values().zip(right.values());
        pairs.map(|(left, right)| left.exp() * (left - right)).sum()
    }

    /// Logits with impossible tokens among them.
    fn logits() -> impl Strategy<Value = Vec<f32>> {
        let logit = prop_oneof![9 => -9.0f32..9.0, 1 => Just(f32::NEG_INFINITY)];
        prop::collection::vec(logit, 10)
            .prop_filter("all impossible", |logits| logits.iter().any(|logit| logit.is_finite()))
    }

    #[test]
    fn zero_is_none_and_a_mistake_closes_it() {
        assert_eq!(Cap::new(0.0), None);
        assert_eq!(Cap::new(2.0).unwrap().cut(-7.0), -2.0);
        for nats in [-1.0, f64::NAN] {
            assert_eq!(Cap::new(nats).unwrap().cut(f64::INFINITY), 0.0);
        }
    }

    #[test]
    fn what_nobody_can_say_does_not_move() {
        let private = [3.0, f32::NEG_INFINITY, f32::NEG_INFINITY, -1.0];
        let public = [-2.0, f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY];
        let delta = Delta::new(&private, &public, 0.0).unwrap();
        let logprobs = [-2.0; 5];
        let shifts = |strength: f64| {
            let policy = policy(
                &logprobs,
                &delta,
                &rule(strength, Cap::new(1.5)),
                &Adjustments::default(),
            );
            let shifts = policy.scored().iter();
            let shifts: BTreeMap<usize, f64> = shifts
                .map(|scored| (scored.candidate.index, scored.score + 2.0))
                .collect();
            shifts.into_values().collect::<Vec<f64>>()
        };
        // The last is unknown to the branches.
        assert_eq!(shifts(1.0), [1.5, 0.0, -1.5, 1.5, 0.0]);
        assert_eq!(shifts(-1.0), [-1.5, 0.0, 1.5, -1.5, 0.0]);
        assert_eq!(shifts(0.0), [0.0; 5]);
    }

    #[test]
    fn the_bounds_are_the_least() {
        // An unlikely token and a likely one; the third has the small model's mass, so that both can be pulled either way.
        let logprobs = [1e-9_f64.ln(), (-2e-9_f64).ln_1p(), 1e-9_f64.ln()];
        let public = [0.0, 0.0, 20.0];
        let (up, down) = ([10.0, -10.0, 20.0], [-10.0, 10.0, 20.0]);
        for temperature in [1.0, 2.0] {
            let drawn_by = |private: &[f32], strength: f64| {
                let delta = Delta::new(private, &public, 0.0).unwrap();
                let rule = rule(strength, Cap::new(0.7));
                drawn(&policy(&logprobs, &delta, &rule, &Adjustments::default()), temperature)
            };
            let (up, down, plain) = (drawn_by(&up, 1.0), drawn_by(&down, 1.0), drawn_by(&up, 0.0));
            assert!(distance(&up, &plain) > 0.999 * 2.0 * 0.7 / temperature);
            assert!(distance(&up, &down) > 0.999 * 4.0 * 0.7 / temperature);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn the_bounds_hold(
            logprobs in prop::collection::vec(-12.0f64..0.0, 12),
            private in logits(),
            other in logits(),
            public in logits(),
            strength in -3.0f64..3.0,
            cap in 0.01f64..5.0,
            floor in prop::sample::select(vec![0.0, 1e-4, 1e-2]),
            plausibility in prop::sample::select(vec![0.0, 0.01, 0.3]),
            temperature in prop_oneof![Just(1.0), 1.0f64..3.0, 0.2f64..1.0],
            bias in prop::collection::btree_map(0usize..12, -8.0f64..8.0, 0..4),
            presence in prop::sample::select(vec![0.0, -1.5, 0.7]),
            repetition in prop::sample::select(vec![1.0, 1.0, 1.3, 0.8]),
        ) {
            let penalties = Penalties { bias, presence, frequency: presence / 2.0, repetition };
            let mut adjustments = Adjustments::new(penalties, [2, 11]);
            adjustments.saw(5);
            let rule = Rule { delta_floor: floor, plausibility, ..rule(strength, Cap::new(cap)) };
            let plain_rule = Rule { strength: Strength::new(0.0).unwrap(), cap: None, ..rule };
            let drawn_by = |private: &[f32], rule: &Rule| {
                let delta = Delta::new(private, &public, floor).unwrap();
                drawn(&policy(&logprobs, &delta, rule, &adjustments), temperature)
            };
            let (ours, theirs) = (drawn_by(&private, &rule), drawn_by(&other, &rule));
            let plain = drawn(&policy(&logprobs, &Delta::none(), &plain_rule, &adjustments), temperature);
            let most = cap * f64::max(repetition, 1.0 / repetition) / temperature;
            prop_assert!(distance(&ours, &plain) <= 2.0 * most + 1e-9);
            prop_assert!(distance(&ours, &theirs) <= 4.0 * most + 1e-9);
            prop_assert!(divergence(&ours, &plain) <= most * most / 2.0 + 1e-9);
            prop_assert!(divergence(&ours, &theirs) <= 2.0 * most * most + 1e-9);
        }

        #[test]
        fn a_cap_nothing_reaches_is_none(
            logprobs in prop::collection::vec(-12.0f64..0.0, 12),
            private in prop::collection::vec(-9.0f32..9.0, 10),
            public in prop::collection::vec(-9.0f32..9.0, 10),
            strength in -2.0f64..2.0,
            repetition in prop::sample::select(vec![1.0, 1.3]),
        ) {
            let delta = Delta::new(&private, &public, 0.0).unwrap();
            let adjustments = Adjustments::new(Penalties { repetition, ..Penalties::default() }, [2, 11]);
            let free = policy(&logprobs, &delta, &rule(strength, None), &adjustments);
            let capped = policy(&logprobs, &delta, &rule(strength, Cap::new(Cap::LIMIT)), &adjustments);
            prop_assert_eq!(ranking(&free), ranking(&capped));
            prop_assert!(distance(&drawn(&free, 1.0), &drawn(&capped, 1.0)) < 1e-9);
        }

        #[test]
        fn the_smallest_cap_leaves_the_upstreams_ranking(
            logprobs in prop::collection::vec(-12.0f64..0.0, 12),
            private in logits(),
            public in logits(),
        ) {
            let delta = Delta::new(&private, &public, 0.0).unwrap();
            let (none, smallest) = (Adjustments::default(), Cap::new(f64::MIN_POSITIVE));
            let plain = policy(&logprobs, &Delta::none(), &rule(1.0, None), &none);
            let capped = policy(&logprobs, &delta, &rule(1.78, smallest), &none);
            prop_assert_eq!(ranking(&plain), ranking(&capped));
        }
    }
}
