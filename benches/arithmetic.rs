//! What one token costs in steering, beside the paper's update run as it is written: 20 passes over the vocabulary.
//! `cargo bench --bench arithmetic`
#![allow(clippy::unwrap_used, missing_docs, reason = "a measurement, not the product")]

use std::hint::black_box;

use costeer::steering::{Adjustments, Candidate, Candidates, Cap, Delta, Noise, Rule, Sampling, Scorer, Strength};
use criterion::{Criterion, criterion_group, criterion_main};

/// Qwen2.5's padded vocabulary.
const VOCABULARY: usize = 152_064;
const TOP_K: usize = 20;
const ITERATIONS: u32 = 20;
const ALPHA: f64 = 2.0;
const BETA: f64 = 1.0;
const LAMBDA: f64 = 2.0;
const ETA: f64 = 10.0;

/// Logits with a model's spread: most tokens far below the best.
fn logits(seed: u64) -> Vec<f32> {
    let noise = Noise::new(seed, 0, 1.5);
    (0..VOCABULARY).map(|index| noise.of(index) as f32).collect()
}

/// A small model's view of the private prompt: the public one's, a little moved.
fn moved(public: &[f32]) -> Vec<f32> {
    let noise = Noise::new(3, 0, 0.1);
    let moved = public.iter().enumerate();
    moved.map(|(index, logit)| logit + noise.of(index) as f32).collect()
}

fn log_softmax(values: &mut [f64]) {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = values.iter().map(|value| (value - largest).exp()).sum();
    let normaliser = largest + sum.ln();
    for value in values {
        *value -= normaliser;
    }
}

fn logprobs(logits: &[f32]) -> Vec<f64> {
    let mut values: Vec<f64> = logits.iter().copied().map(f64::from).collect();
    log_softmax(&mut values);
    values
}

/// The update of arXiv:2507.04756 step by step over the whole vocabulary, and its best token.
fn paper(llm: &[f32], private: &[f32], public: &[f32]) -> usize {
    let base = logprobs(llm);
    let (private, public) = (logprobs(private), logprobs(public));
    let mut player = base.clone();
    let mut utility = vec![0.0; base.len()];
    for t in 1..=ITERATIONS {
        let lambda = f64::from(t) * LAMBDA;
        for index in 0..base.len() {
            let delta = private[index] - public[index];
            utility[index] += ALPHA * (player[index] - base[index]) + BETA * delta;
            player[index] = (lambda * base[index] + utility[index] + player[index] / ETA) / (lambda + 1.0 / ETA);
        }
        log_softmax(&mut player);
    }
    (0..player.len())
        .max_by(|left, right| player[*left].total_cmp(&player[*right]))
        .unwrap()
}

fn top(logits: &[f32]) -> Candidates {
    let values = logprobs(logits);
    let mut all: Vec<Candidate> = values
        .iter()
        .enumerate()
        .map(|(index, logprob)| Candidate {
            index,
            logprob: *logprob,
        })
        .collect();
    all.sort_by(|left, right| right.logprob.total_cmp(&left.logprob));
    all.truncate(TOP_K);
    Candidates::new(all)
}

/// Scores the whole vocabulary with nothing asked of single tokens.
struct Unadjusted {
    adjustments: Adjustments,
    selectable: Vec<bool>,
}

impl Unadjusted {
    fn scorer<'a>(&'a self, candidates: &'a Candidates, delta: &'a Delta<'a>, rule: &'a Rule) -> Scorer<'a> {
        Scorer {
            candidates,
            delta,
            rule,
            adjustments: &self.adjustments,
            selectable: &self.selectable,
        }
    }
}

fn arithmetic(criterion: &mut Criterion) {
    let (llm, public) = (logits(1), logits(2));
    let private = moved(&public);
    let candidates = top(&llm);
    let unadjusted = Unadjusted {
        adjustments: Adjustments::default(),
        selectable: vec![true; VOCABULARY],
    };
    let strength = Strength::new(1.783_256_843).unwrap();
    let sampling = |temperature| Sampling {
        temperature,
        seed: 7,
        ..Sampling::default()
    };
    let mut group = criterion.benchmark_group("a token of 152,064, k = 20");
    group.sample_size(30);
    group.bench_function("paper: 20 iterations over the vocabulary", |bencher| {
        bencher.iter(|| paper(black_box(&llm), black_box(&private), black_box(&public)));
    });
    for (name, delta_floor, cap) in [("", 0.0, 0.0), (", floor 1e-4", 1e-4, 0.0), (", cap 1", 0.0, 1.0)] {
        let rule = Rule {
            strength,
            delta_floor,
            plausibility: 0.0,
            cap: Cap::new(cap),
        };
        for (how, temperature) in [("greedy", 0.0), ("drawn", 0.8)] {
            let sampling = sampling(temperature);
            group.bench_function(format!("{how}{name}: check, pick and certificate"), |bencher| {
                bencher.iter(|| {
                    let delta = Delta::new(black_box(&private), black_box(&public), delta_floor).unwrap();
                    let scorer = unadjusted.scorer(&candidates, &delta, &rule);
                    let policy = scorer.policy();
                    let picked = sampling.pick(&policy, 3).unwrap().candidate.index;
                    let uncertain = scorer.uncertain(&policy, &sampling, 3).next();
                    (picked, uncertain)
                });
            });
            let delta = Delta::new(&private, &public, delta_floor).unwrap();
            let policy = unadjusted.scorer(&candidates, &delta, &rule).policy();
            group.bench_function(format!("{how}{name}: the certificate's scan alone"), |bencher| {
                bencher.iter(|| {
                    unadjusted
                        .scorer(black_box(&candidates), &delta, &rule)
                        .uncertain(&policy, &sampling, 3)
                        .count()
                });
            });
            group.bench_function(format!("{how}{name}: the pick alone"), |bencher| {
                bencher.iter(|| {
                    let policy = unadjusted.scorer(black_box(&candidates), &delta, &rule).policy();
                    sampling.pick(&policy, 3).unwrap().candidate.index
                });
            });
        }
    }
    group.bench_function("the logits' check alone", |bencher| {
        bencher.iter(|| Delta::new(black_box(&private), black_box(&public), 0.0).is_ok());
    });
    group.finish();
}

criterion_group!(benches, arithmetic);
criterion_main!(benches);
