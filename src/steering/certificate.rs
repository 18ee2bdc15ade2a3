use super::{Delta, Policy, Rule};

/// Whether the best candidate is proved to be the best of the whole vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// No token outside the candidates could have won.
    Certified,
    /// At least one token outside might have won; the candidates cannot tell.
    Uncertified,
}

/// What can hide outside the candidates is bounded twice: no outside token is likelier than the least likely candidate,
/// and none is likelier than the mass that the candidates leave over. Where even that much of p_LLM plus c·Δ stays below
/// the best score for every outside token, the pick equals the one over the full vocabulary.
///
/// `listed` holds the upstream's own list with nothing filtered out: `(index, ln p)`, in any order. `selectable` has
/// shape `[vocabulary]`.
pub fn certify(
    policy: &Policy,
    listed: &[super::Candidate],
    delta: &Delta<'_>,
    rule: &Rule,
    selectable: &[bool],
) -> Certificate {
    let Some(best) = policy.best() else {
        return Certificate::Uncertified;
    };
    let bound = outside_bound(listed);
    let largest = listed
        .iter()
        .filter(|candidate| selectable.get(candidate.index).copied().unwrap_or(false))
        .map(|candidate| candidate.logprob)
        .fold(f64::NEG_INFINITY, f64::max);
    // With a plausibility limit above the bound nothing outside is a candidate at all.
    if bound < rule.least_logprob(largest) {
        return Certificate::Certified;
    }
    let mut inside: Vec<usize> = listed.iter().map(|candidate| candidate.index).collect();
    inside.sort_unstable();
    let strength = rule.strength.value();
    let beaten = |index: usize| {
        bound + delta.pull_at_most(index, strength) < best.score || bound + strength * delta.of(index) < best.score
    };
    let doubtful = |index: usize| {
        selectable.get(index).copied().unwrap_or(false) && !beaten(index) && inside.binary_search(&index).is_err()
    };
    if (0..delta.vocabulary().max(selectable.len())).any(doubtful) {
        Certificate::Uncertified
    } else {
        Certificate::Certified
    }
}

/// The most ln p_LLM a token outside `listed` can have: `min(least listed, ln(1 − mass listed))`.
fn outside_bound(listed: &[super::Candidate]) -> f64 {
    let least = listed
        .iter()
        .map(|candidate| candidate.logprob)
        .fold(f64::INFINITY, f64::min);
    let mass: f64 = listed.iter().map(|candidate| candidate.logprob.exp()).sum();
    // Servers print f32 logarithms: a sum that close to 1 says nothing about what is left.
    let rest = (1.0 - mass).max(MASS_ROUNDING);
    least.min(rest.ln())
}

/// Rounding of the sum of a top-k's probabilities, each exact to about 1e-7.
const MASS_ROUNDING: f64 = 1e-6;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Strength;
    use super::super::policy::candidates;
    use super::*;

    fn log_softmax(logits: &[f32]) -> Vec<f64> {
        let sum: f64 = logits.iter().map(|logit| f64::from(*logit).exp()).sum();
        logits.iter().map(|logit| f64::from(*logit) - sum.ln()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn a_certified_pick_is_the_full_vocabularys_pick(
            llm in prop::collection::vec(-6.0f32..6.0, 40),
            private in prop::collection::vec(-4.0f32..4.0, 40),
            public in prop::collection::vec(-4.0f32..4.0, 40),
            k in 1usize..12,
            strength in -2.0f64..2.5,
            floor in prop::sample::select(vec![0.0, 1e-4, 1e-2]),
            plausibility in prop::sample::select(vec![0.0, 0.01, 0.3]),
        ) {
            let rule = Rule { strength: Strength::new(strength).unwrap(), delta_floor: floor, plausibility };
            let delta = Delta::new(&private, &public, floor).unwrap();
            let selectable: Vec<bool> = (0..40).map(|index| index % 7 != 3).collect();
            let all = candidates(&log_softmax(&llm));
            let mut listed = all.clone();
            listed.sort_by(|left, right| right.logprob.total_cmp(&left.logprob));
            listed.truncate(k);
            let policy = Policy::new(&listed, &delta, &rule, &selectable);
            let full = Policy::new(&all, &delta, &rule, &selectable);
            if certify(&policy, &listed, &delta, &rule, &selectable) == Certificate::Certified {
                prop_assert_eq!(policy.best().unwrap().candidate.index, full.best().unwrap().candidate.index);
            }
        }

        #[test]
        fn the_whole_vocabulary_certifies_itself(llm in prop::collection::vec(-6.0f32..6.0, 20)) {
            let rule = Rule { strength: Strength::new(1.78).unwrap(), delta_floor: 0.0, plausibility: 0.0 };
            let flat = [0.0; 20];
            let delta = Delta::new(&flat, &flat, 0.0).unwrap();
            let all = candidates(&log_softmax(&llm));
            let policy = Policy::new(&all, &delta, &rule, &[true; 20]);
            prop_assert_eq!(certify(&policy, &all, &delta, &rule, &[true; 20]), Certificate::Certified);
        }
    }
}
