use super::nucleus::Draw;
use super::{Policy, Sampling, Scorer, Uncertain};

impl<'a> Scorer<'a> {
    /// The tokens outside the candidates that leave it open whether the pick at `position` is that of the whole vocabulary, each
    /// once and those that the request raised first. `policy` must be the scorer's own [`Self::policy`].
    ///
    /// Where there are none, the pick is *certified*: with the same seed, the whole vocabulary gives the same token. Where all
    /// tokens are drawn from, that is so when no unlisted token can reach the pick's score and noise. [`Draw`] has the proof for a
    /// nucleus.
    pub fn uncertain(
        self,
        policy: &Policy,
        sampling: &Sampling,
        position: u64,
    ) -> Box<dyn Iterator<Item = Uncertain> + 'a> {
        if !sampling.has_nucleus() {
            return Box::new(self.reaching(sampling.threshold(policy, position)));
        }
        let draw = Draw::new(self, policy, sampling, position);
        Box::new(
            draw.into_iter()
                .flat_map(|draw| draw.uncertain())
                .collect::<Vec<_>>()
                .into_iter(),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::candidates::candidates;
    use super::super::{Adjustments, Candidate, Candidates, Cap, Delta, Penalties, Rule, Sampling, Strength};
    use super::*;

    fn log_softmax(logits: &[f32]) -> Vec<f64> {
        let sum: f64 = logits.iter().map(|logit| f64::from(*logit).exp()).sum();
        logits.iter().map(|logit| f64::from(*logit) - sum.ln()).collect()
    }

    /// The likeliest `k` of a distribution.
    fn top(all: &Candidates, k: usize) -> Candidates {
        let mut listed = all.known().to_vec();
        listed.sort_by(|left, right| right.logprob.total_cmp(&left.logprob));
        listed.truncate(k);
        Candidates::new(listed)
    }

    fn sampling(temperature: f64, seed: u64) -> Sampling {
        Sampling {
            temperature,
            seed,
            ..Sampling::default()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn a_certified_pick_is_the_full_vocabularys_pick(
            llm in prop::collection::vec(-6.0f32..6.0, 40),
            private in prop::collection::vec(-4.0f32..4.0, 38),
            public in prop::collection::vec(-4.0f32..4.0, 38),
            k in 1usize..12,
            strength in -2.0f64..2.5,
            floor in prop::sample::select(vec![0.0, 1e-4, 1e-2]),
            plausibility in prop::sample::select(vec![0.0, 0.01, 0.3]),
            cap in prop::sample::select(vec![0.0, 0.0, 0.3, 1.0, 3.0, 100.0]),
            temperature in prop::sample::select(vec![0.0, 0.7, 1.0, 1.3]),
            top_p in prop_oneof![Just(1.0), Just(1.0), 0.05..1.0f64],
            top_k in prop_oneof![Just(0), Just(0), 1usize..20],
            min_p in prop_oneof![Just(0.0), Just(0.0), 0.0..0.6f64],
            seed: u64,
            bias in prop::collection::btree_map(0usize..40, -8.0f64..8.0, 0..4),
            presence in prop::sample::select(vec![0.0, -1.5, 0.7]),
            repetition in prop::sample::select(vec![1.0, 1.3, 0.8]),
        ) {
            let penalties = Penalties { bias, presence, frequency: presence / 2.0, repetition };
            let mut adjustments = Adjustments::new(penalties, [2, 11]);
            adjustments.saw(5);
            adjustments.saw(17);
            let strength = Strength::new(strength).unwrap();
            let rule = Rule { strength, delta_floor: floor, plausibility, cap: Cap::new(cap) };
            let delta = Delta::new(&private, &public, floor).unwrap();
            let selectable: Vec<bool> = (0..40).map(|index| index % 7 != 3).collect();
            let all = candidates(&log_softmax(&llm));
            let mut known = top(&all, k);
            let sampling = Sampling { temperature, top_p, top_k, min_p, seed };
            // Where nothing of the upstream's own list may be picked, nothing is.
            prop_assume!(known.known().iter().any(|candidate| selectable[candidate.index]));
            let full = Scorer {
                candidates: &all,
                delta: &delta,
                rule: &rule,
                adjustments: &adjustments,
                selectable: &selectable,
            };
            let wanted = sampling.pick(&full.policy(), 3).unwrap().candidate.index;
            // Asking for what is uncertain ends with a certificate, whatever was known at first.
            for _ in 0..40 {
                let unlisted = {
                    let scorer = Scorer { candidates: &known, ..full };
                    let policy = scorer.policy();
                    let uncertain = scorer.uncertain(&policy, &sampling, 3);
                    let uncertain: Vec<usize> = uncertain.map(|token| token.index).collect();
                    let mut once = uncertain.clone();
                    once.sort_unstable();
                    once.dedup();
                    prop_assert_eq!(once.len(), uncertain.len());
                    let Some(first) = uncertain.first() else {
                        prop_assert_eq!(sampling.pick(&policy, 3).unwrap().candidate.index, wanted);
                        return Ok(());
                    };
                    *first
                };
                known.add([all.known()[unlisted]]);
            }
            prop_assert!(false, "still uncertain");
        }

        #[test]
        fn the_whole_vocabulary_certifies_itself(llm in prop::collection::vec(-6.0f32..6.0, 20)) {
            let rule = Rule { strength: Strength::new(1.78).unwrap(), delta_floor: 0.0, plausibility: 0.0, cap: None };
            let scorer = Scorer {
                candidates: &candidates(&log_softmax(&llm)),
                delta: &Delta::new(&[0.0; 20], &[0.0; 20], 0.0).unwrap(),
                rule: &rule,
                adjustments: &Adjustments::default(),
                selectable: &[true; 20],
            };
            prop_assert_eq!(scorer.uncertain(&scorer.policy(), &sampling(0.0, 0), 0).count(), 0);
        }
    }

    fn uncertain(scorer: Scorer<'_>, temperature: f64) -> Vec<usize> {
        let uncertain = scorer.uncertain(&scorer.policy(), &sampling(temperature, 1), 0);
        uncertain.map(|token| token.index).collect()
    }

    /// What is uncertain with one cap where token `pulled` of four is what the private context calls for.
    fn capped(pulled: usize, listed: &[f64], adjustments: &Adjustments, cap: f64, temperature: f64) -> Vec<usize> {
        let mut private = [0.0; 4];
        private[pulled] = 9.0;
        let rule = Rule {
            strength: Strength::new(1.0).unwrap(),
            delta_floor: 0.0,
            plausibility: 0.0,
            cap: Cap::new(cap),
        };
        let scorer = Scorer {
            candidates: &candidates(listed),
            delta: &Delta::new(&private, &[0.0; 4], 0.0).unwrap(),
            rule: &rule,
            adjustments,
            selectable: &[true; 4],
        };
        uncertain(scorer, temperature)
    }

    #[test]
    fn a_cap_holds_back_what_the_list_leaves_out() {
        let none = Adjustments::default();
        for temperature in [0.0, 0.01] {
            let uncertain = |cap| capped(2, &[-0.1, -3.0], &none, cap, temperature);
            // 3 below the best at least, it needs 1.5 up where the best goes 1.5 down.
            assert_eq!(uncertain(0.0), [2]);
            assert_eq!(uncertain(1.4), [0; 0]);
            assert_eq!(uncertain(1.7), [2]);
        }
    }

    #[test]
    fn a_cap_leaves_uncertain_what_delta_would_bury() {
        let bias = BTreeMap::from([(0, -8.0)]);
        let penalties = Penalties {
            bias,
            ..Penalties::default()
        };
        let adjustments = Adjustments::new(penalties, []);
        for temperature in [0.0, 0.01] {
            let uncertain = |cap| capped(0, &[-0.1], &adjustments, cap, temperature);
            assert_eq!(uncertain(0.0), [0; 0]);
            assert_eq!(uncertain(1.0), [1, 2, 3]);
        }
    }

    #[test]
    fn without_a_candidate_everything_is_uncertain() {
        let rule = Rule {
            strength: Strength::new(1.0).unwrap(),
            delta_floor: 0.0,
            plausibility: 0.0,
            cap: None,
        };
        let known = Candidates::new(vec![Candidate {
            index: 1,
            logprob: -0.5,
        }]);
        let scorer = Scorer {
            candidates: &known,
            delta: &Delta::none(),
            rule: &rule,
            adjustments: &Adjustments::default(),
            selectable: &[true, false, true],
        };
        assert_eq!(uncertain(scorer, 0.0), [0, 2]);
    }
}
