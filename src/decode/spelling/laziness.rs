//! What is put together when it is asked for is what it would be, put together for all tokens at once.

use std::sync::Arc;

use proptest::prelude::*;

use super::tests::{Walk, words};
use super::{Logits, Projected, Spelling};
use crate::steering::{
    Adjustments, Candidate, Candidates, Cap, Delta, Projection, Rule, Sampling, Scorer, Strength, log_sum_exp,
};
use crate::vocabulary::{AlignmentChoice, TokenId};

/// The sums of all of the upstream's tokens in one branch, and their constant.
fn all_at_once(spelling: &Spelling, logits: &Logits, branch: usize) -> (Vec<f32>, f64) {
    let open: f64 = spelling.longer.iter().map(|longer| longer.odds[branch].exp()).sum();
    let normaliser = logits.normaliser() + open.ln_1p();
    let sums = (0..spelling.alignment.upstream().selectable().len()).map(|token| {
        let token = TokenId(token as u32);
        let own = spelling.alignment.token_map().of(token).map(|own| logits.logit(own));
        let longer = spelling.longer.iter().filter(|longer| longer.next == token);
        let longer = longer.map(|longer| (logits.normaliser() + longer.odds[branch]) as f32);
        let parts: Vec<f32> = own.chain(longer).collect();
        match parts.as_slice() {
            [one] => *one,
            _ => log_sum_exp(&parts) as f32,
        }
    });
    (sums.collect(), normaliser)
}

/// Some tokens that a branch holds impossible.
fn with_holes(logits: &Logits, every: usize) -> Logits {
    let holes = logits.raw.iter().enumerate();
    Logits::new(
        holes
            .map(|(id, logit)| {
                if id % every == every - 1 {
                    f32::NEG_INFINITY
                } else {
                    *logit
                }
            })
            .collect(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_asked_for_is_what_it_is_at_once(
        (upstream, local) in (words(), words()),
        choice in prop::sample::select(vec![AlignmentChoice::Intersection, AlignmentChoice::Bytes]),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..8),
        holes in (2usize..9, 2usize..9),
        floor in prop::sample::select(vec![0.0, 1e-4, 1e-2]),
        cap in prop::sample::select(vec![0.0, 0.5, 3.0]),
        strength in -2.5..2.5f64,
        least in -6.0..8.0f64,
        temperature in prop::sample::select(vec![0.0, 0.8]),
        top_p in prop::sample::select(vec![1.0, 0.7]),
        seed: u64,
    ) {
        let mut walk = Walk::new(choice, upstream, local);
        let rule = Rule { strength: Strength::new(strength).unwrap(), delta_floor: floor, plausibility: 0.0, cap: Cap::new(cap) };
        let sampling = Sampling { temperature, top_p, seed, ..Sampling::default() };
        for pick in picks {
            let branches = Arc::new([with_holes(&walk.branches[0], holes.0), with_holes(&walk.branches[1], holes.1)]);
            if let Projected::Settled(settled) = walk.spelling.project(&branches) {
                let lazy = settled.delta(floor).unwrap();
                let size = settled.size();
                let (private, of_private) = all_at_once(&walk.spelling, &branches[0], 0);
                let (public, of_public) = all_at_once(&walk.spelling, &branches[1], 1);
                let eager = Delta::normalised(&private, &public, (of_private, of_public), floor).unwrap();
                for token in 0..=size {
                    let (lazy, eager) = (lazy.of(token), eager.of(token));
                    prop_assert!(lazy == eager || (lazy - eager).abs() < 1e-5, "token {token}: {lazy} is not {eager}");
                }
                // Just what each token reaches, and something else.
                let own = (0..size).map(|token| strength * eager.of(token));
                for least in own.chain([least]) {
                    let reaching: Vec<usize> = lazy.reaching(strength, least).collect();
                    prop_assert!(reaching.is_sorted());
                    for token in 0..size {
                        let reaches = strength * eager.of(token) >= least;
                        prop_assert!(!reaches || reaching.contains(&token), "token {token} is missing at {least}");
                    }
                }
                let known = (0..size.min(4)).map(|index| Candidate { index, logprob: -2.0 - index as f64 });
                let (known, selectable) = (Candidates::new(known.collect()), vec![true; size]);
                let [lazy, eager] = [&lazy, &eager].map(|delta| {
                    let scorer = Scorer {
                        candidates: &known,
                        delta,
                        rule: &rule,
                        adjustments: &Adjustments::default(),
                        selectable: &selectable,
                    };
                    let policy = scorer.policy();
                    let picked = sampling.pick(&policy, 3).map(|scored| scored.candidate.index);
                    let uncertain = scorer.uncertain(&policy, &sampling, 3);
                    (picked, uncertain.map(|token| token.index).collect::<Vec<usize>>())
                });
                prop_assert_eq!(lazy, eager);
            }
            walk.step(pick.index(walk.upstream.len()));
        }
    }
}
