//! The closed form against the paper's update evaluated step by step in f64 by another program.

use std::collections::BTreeSet;

use costeer::steering::{Adjustments, Candidate, Candidates, Delta, Ftrl, Rule, Scorer};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(rename = "T")]
    iterations: u32,
    alpha: f64,
    beta: f64,
    lambda: f64,
    eta: f64,
    coefficient: f64,
    llm_logits: Vec<f64>,
    slm_public_logits: Vec<f32>,
    slm_private_logits: Vec<f32>,
    log_policy: Vec<f64>,
}

#[test]
fn the_closed_form_equals_the_update() {
    let golden: Golden = serde_json::from_str(include_str!("data/ftrl_golden.json")).unwrap();
    let (mut compared, all) = (0, golden.cases.iter().map(|case| case.log_policy.len()).sum());
    assert_eq!((golden.cases.len(), all), (20, 560));
    for case in golden.cases {
        let strength = Ftrl {
            iterations: case.iterations,
            alpha: case.alpha,
            beta: case.beta,
            lambda: case.lambda,
            eta: case.eta,
        }
        .strength()
        .unwrap();
        assert!((strength.value() - case.coefficient).abs() < 1e-9);
        let all = case.llm_logits.iter().enumerate().map(|(index, logprob)| Candidate {
            index,
            logprob: *logprob,
        });
        let candidates = Candidates::new(all.collect());
        let rule = Rule {
            strength,
            delta_floor: 0.0,
            plausibility: 0.0,
            cap: None,
        };
        let delta = Delta::new(&case.slm_private_logits, &case.slm_public_logits, 0.0).unwrap();
        let scorer = Scorer {
            candidates: &candidates,
            delta: &delta,
            rule: &rule,
            adjustments: &Adjustments::default(),
            selectable: &vec![true; case.llm_logits.len()],
        };
        let policy = scorer.policy();
        let log_policy = policy.log_policy();
        assert_eq!(policy.scored().len(), log_policy.len());
        let mut seen = BTreeSet::new();
        for (scored, logprob) in policy.scored().iter().zip(log_policy) {
            let wanted = case.log_policy[scored.candidate.index];
            // Logits are f32 on their way in here and f64 in the file.
            assert!(
                (logprob - wanted).abs() < 1e-6 * wanted.abs().max(1.0),
                "{logprob} is not {wanted}"
            );
            seen.insert(scored.candidate.index);
        }
        compared += seen.len();
    }
    assert_eq!(compared, all, "every entry is compared");
}
