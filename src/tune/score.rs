//! How far the steered policy is from what the upstream says with the context in its prompt, at one position.
//!
//! p is the upstream's distribution with the context, q without it, and the policy is π ∝ q · exp(c·Δ). Of both p and q only the
//! likeliest tokens are known. What is counted apart are the tokens that are listed both times; all others are one bucket.
//!
//! * In p the bucket has what the counted ones leave.
//! * In π it has two parts. Tokens that q lists and p does not are steered like all. What q does not list has the mass m that its list
//!   leaves, and Δ of each of its tokens is known from the small model. How m is spread over them is not; it is taken to be spread as
//!   the small model's public branch spreads it. Its weight is then m · E[exp(c·Δ)].
//!
//! Where both sides are one model, that is exact: π at c = 1 is p, and the divergence is 0.
//! A bucket can only hide differences, so KL(p‖π) over it is never above the one over the whole vocabulary.
//!
//! A plausibility limit takes tokens away, and the divergence from a policy that never says what p says is infinite. It is
//! judged by total variation, ½ Σ |p − π|, with the policy as `serve` has it: over the listed tokens alone, those below the limit left out.

use super::place::{Place, Share};
use crate::steering::Cap;

/// Servers print rounded numbers; less than this may be nothing.
const NOTHING: f64 = 1e-6;

/// How tokens are steered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// c.
    pub strength: f64,
    /// Which of a [`Place`]'s floors.
    pub floor: usize,
    /// Relative to the likeliest.
    pub plausibility: f64,
    /// The most that c·Δ may move a score.
    pub cap: Option<Cap>,
}

impl Rule {
    fn pull(&self, delta: f64) -> f64 {
        let pull = self.strength * delta;
        self.cap.map_or(pull, |cap| pull.clamp(-cap.nats(), cap.nats()))
    }
}

/// KL(p‖π) in nats. The plausibility limit is not heeded.
pub fn divergence(place: &Place, rule: &Rule) -> f64 {
    let scores = scores(place, rule);
    let listed = place.listed.iter().map(|listed| listed.plain.exp());
    let left = (1.0 - listed.sum::<f64>()).max(NOTHING);
    let rest = left.ln() + mean_pull(place.rest.get(rule.floor).map_or(&[][..], Vec::as_slice), rule);
    let total = log_sum(scores.iter().copied().chain([rest]));
    let mut bucket = Bucket {
        wanted: 1.0,
        scores: vec![rest],
    };
    let mut divergence = 0.0;
    for (listed, score) in place.listed.iter().zip(&scores) {
        match listed.wanted {
            Some(wanted) => {
                divergence += term(wanted.exp(), score - total);
                bucket.wanted -= wanted.exp();
            }
            None => bucket.scores.push(*score),
        }
    }
    divergence += term(bucket.wanted, log_sum(bucket.scores.into_iter()) - total);
    // Rounded numbers may sum to a little more than they should.
    divergence.max(0.0)
}

/// ½ Σ |p − π| with π over the plausible among the listed tokens.
pub fn distance(place: &Place, rule: &Rule) -> f64 {
    let scores = plausible(place, rule);
    let total = log_sum(scores.iter().copied());
    let mut bucket = (1.0, 0.0);
    let mut sum = 0.0;
    for (listed, score) in place.listed.iter().zip(&scores) {
        let steered = (score - total).exp();
        match listed.wanted {
            Some(wanted) => {
                sum += (wanted.exp() - steered).abs();
                bucket.0 -= wanted.exp();
            }
            None => bucket.1 += steered,
        }
    }
    0.5 * (sum + (bucket.0.max(0.0) - bucket.1).abs())
}

/// Whether the steered policy's best is the answer's token.
pub fn agrees(place: &Place, rule: &Rule) -> bool {
    let scores = plausible(place, rule);
    let mut best: Option<(usize, f64)> = None;
    for (index, score) in scores.into_iter().enumerate() {
        if best.is_none_or(|(_, highest)| score > highest) {
            best = Some((index, score));
        }
    }
    best.map(|(index, _)| index) == place.answer && place.answer.is_some()
}

/// What neither list holds, or one does not.
struct Bucket {
    wanted: f64,
    scores: Vec<f64>,
}

/// p · (ln p − ln π), where `steered` is ln π.
fn term(wanted: f64, steered: f64) -> f64 {
    if wanted > NOTHING {
        wanted * (wanted.ln() - steered)
    } else {
        0.0
    }
}

/// ln of π of every listed token, up to a constant.
fn scores(place: &Place, rule: &Rule) -> Vec<f64> {
    let each = place.listed.iter();
    each.map(|listed| listed.plain + rule.pull(listed.delta.get(rule.floor).copied().unwrap_or_default()))
        .collect()
}

/// The same, with −∞ for those that are not plausible.
fn plausible(place: &Place, rule: &Rule) -> Vec<f64> {
    let each = place.listed.iter().map(|listed| listed.plain);
    let largest = each.fold(f64::NEG_INFINITY, f64::max);
    let least = if rule.plausibility > 0.0 {
        largest + rule.plausibility.ln()
    } else {
        f64::NEG_INFINITY
    };
    let mut scores = scores(place, rule);
    for (score, listed) in scores.iter_mut().zip(&place.listed) {
        if listed.plain < least {
            *score = f64::NEG_INFINITY;
        }
    }
    scores
}

/// ln E[exp(c·Δ)].
fn mean_pull(rest: &[Share], rule: &Rule) -> f64 {
    let total: f64 = rest.iter().map(Share::mass).sum();
    if total <= 0.0 {
        return 0.0;
    }
    log_sum(rest.iter().map(|share| share.mass().ln() + rule.pull(share.delta()))) - total.ln()
}

/// ln Σ exp.
fn log_sum(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + values.map(|value| (value - largest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::place::Listed;
    use super::super::rest::spread;
    use super::*;
    use crate::steering::{Adjustments, Candidate, Candidates, Delta, Scorer, Strength};

    const SIZE: usize = 40;

    fn log_softmax(logits: &[f32]) -> Vec<f64> {
        let total = log_sum(logits.iter().map(|logit| f64::from(*logit)));
        logits.iter().map(|logit| f64::from(*logit) - total).collect()
    }

    fn likeliest(logprobs: &[f64], count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..logprobs.len()).collect();
        order.sort_by(|left, right| logprobs[*right].total_cmp(&logprobs[*left]));
        order.truncate(count);
        order
    }

    /// The place of an upstream with these logits, of which `count` are listed, and of a small model with those.
    fn place(upstream: [&[f32]; 2], local: [&[f32]; 2], count: usize, floor: f64) -> Place {
        let [plain, wanted] = upstream.map(log_softmax);
        let [shown, asked] = [likeliest(&plain, count), likeliest(&wanted, count)];
        let delta = Delta::new(local[1], local[0], floor).unwrap();
        let listed = shown.iter().map(|index| Listed {
            plain: plain[*index],
            wanted: asked.contains(index).then(|| wanted[*index]),
            delta: vec![delta.of(*index) - delta.zero()],
        });
        Place {
            listed: listed.collect(),
            rest: spread(&[delta], &shown),
            answer: shown.iter().position(|index| *index == asked[0]),
        }
    }

    fn rule(strength: f64) -> Rule {
        Rule {
            strength,
            floor: 0,
            plausibility: 0.0,
            cap: None,
        }
    }

    fn logits() -> impl proptest::strategy::Strategy<Value = Vec<f32>> {
        prop::collection::vec(-6.0f32..6.0, SIZE)
    }

    proptest! {
        #[test]
        fn one_model_on_both_sides_is_reached_at_strength_one(
            public in logits(),
            private in logits(),
            count in 1usize..SIZE,
        ) {
            let place = place([&public, &private], [&public, &private], count, 0.0);
            let at = |strength: f64| divergence(&place, &rule(strength));
            // Parts of what is not listed are put together, see `rest`.
            prop_assert!(at(1.0) < 0.02, "{}", at(1.0));
            prop_assert!(at(1.0) <= at(0.5) + 2e-3 && at(1.0) <= at(1.6) + 2e-3);
        }

        #[test]
        fn with_whole_lists_it_is_the_textbooks_divergence(
            plain in logits(), wanted in logits(), public in logits(), private in logits(), strength in -1.0f64..3.0,
        ) {
            let place = place([&plain, &wanted], [&public, &private], SIZE, 0.0);
            let [q, p] = [&plain, &wanted].map(|logits| log_softmax(logits));
            let [s, r] = [&public, &private].map(|logits| log_softmax(logits));
            let scores: Vec<f64> = (0..SIZE).map(|i| q[i] + strength * (r[i] - s[i])).collect();
            let total = log_sum(scores.iter().copied());
            let expected: f64 = (0..SIZE).map(|i| p[i].exp() * (p[i] - scores[i] + total)).sum();
            prop_assert!((divergence(&place, &rule(strength)) - expected).abs() < 1e-3 * (1.0 + expected));
            let varied: f64 = (0..SIZE).map(|i| 0.5 * (p[i].exp() - (scores[i] - total).exp()).abs()).sum();
            prop_assert!((distance(&place, &rule(strength)) - varied).abs() < 1e-6);
        }

        #[test]
        fn a_bucket_only_hides(
            plain in logits(), wanted in logits(), public in logits(), private in logits(), count in 1usize..SIZE,
        ) {
            // Of the same distributions; without steering nothing is guessed.
            let of = |count| divergence(&place([&plain, &wanted], [&public, &private], count, 0.0), &rule(0.0));
            prop_assert!(of(count) <= of(SIZE) + 1e-4 && of(count) >= 0.0);
        }

        #[test]
        fn the_policy_is_that_of_serving(
            plain in logits(), public in logits(), private in logits(), strength in -1.0f64..3.0,
            floor in prop::sample::select(vec![0.0, 1e-4]), plausibility in prop::sample::select(vec![0.0, 0.01, 0.3]),
            cap in prop::sample::select(vec![0.0, 1.5]), count in 1usize..SIZE,
        ) {
            let place = place([&plain, &plain], [&public, &private], count, floor);
            let own = Rule { strength, floor: 0, plausibility, cap: Cap::new(cap) };
            let logprobs = log_softmax(&plain);
            let shown = likeliest(&logprobs, count);
            let candidates = shown.iter().map(|index| Candidate { index: *index, logprob: logprobs[*index] });
            let scorer = Scorer {
                candidates: &Candidates::new(candidates.collect()),
                delta: &Delta::new(&private, &public, floor).unwrap(),
                rule: &crate::steering::Rule {
                    strength: Strength::new(strength).unwrap(),
                    delta_floor: floor,
                    plausibility,
                    cap: Cap::new(cap),
                },
                adjustments: &Adjustments::default(),
                selectable: &[true; SIZE],
            };
            let policy = scorer.policy();
            let scores = plausible(&place, &own);
            let total = log_sum(scores.iter().copied());
            for (scored, logprob) in policy.scored().iter().zip(policy.log_policy()) {
                let number = shown.iter().position(|index| *index == scored.candidate.index).unwrap();
                prop_assert!((scores[number] - total - logprob).abs() < 1e-9);
            }
            let finite = scores.iter().filter(|score| score.is_finite()).count();
            prop_assert_eq!(finite, policy.scored().len());
            let best = policy.best().unwrap().candidate.index;
            prop_assert_eq!(agrees(&place, &own), best == shown[0]);
        }
    }
}
