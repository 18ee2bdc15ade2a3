//! What bringing two vocabularies together costs a token: whole sessions over an upstream and a small model that answer at once, so that what is left
//! is this program's own time. `cargo bench --bench alignment`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and stops where it cannot go on"
)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use costeer::decode::{Exactness, GateMode, GateRule, Limits, Lookahead, Plan, Session};
use costeer::local::{BranchPair, Lane, LocalError, PairStep, Step};
use costeer::steering::{Penalties, Rule, Sampling, Strength};
use costeer::upstream::{
    Caller, CandidateRequest, Position, PositionRequest, Positions, Prefix, Upstream, UpstreamError,
};
use costeer::vocabulary::{Alignment, AlignmentChoice, TokenId, Tokenizer};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};

const SIZES: [usize; 2] = [49_152, 152_064];
const TOKENS: usize = 200;
const REPEATS: usize = 9;
const K: usize = 20;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    println!("| vocabulary | small model's | alignment | made in | maps | a token, median of {REPEATS} | more |");
    println!("|---:|---|---|---:|---:|---:|---:|");
    for size in SIZES {
        let (upstream, other) = (tokenizer(size, 1), tokenizer(size, 2));
        let cases = [
            ("the same", &upstream, AlignmentChoice::Identical),
            ("the same", &upstream, AlignmentChoice::Intersection),
            ("the same", &upstream, AlignmentChoice::Bytes),
            ("another", &other, AlignmentChoice::Intersection),
            ("another", &other, AlignmentChoice::Bytes),
        ];
        let aligned: Vec<(Arc<Alignment>, Duration)> = cases
            .iter()
            .map(|(_, local, choice)| {
                let start = Instant::now();
                let alignment = Alignment::new(*choice, Arc::clone(&upstream), Arc::clone(local)).unwrap();
                (Arc::new(alignment), start.elapsed())
            })
            .collect();
        let mut seconds = vec![Vec::new(); cases.len()];
        // Taken in turns, so that whatever else the machine does meets all of them.
        for repeat in 0..REPEATS {
            for (times, (alignment, _)) in seconds.iter_mut().zip(&aligned) {
                times.push(runtime.block_on(session(alignment, size, repeat as u64)));
            }
        }
        let medians: Vec<f64> = seconds.into_iter().map(median).collect();
        for (((whose, _, _), (alignment, made)), time) in cases.iter().zip(&aligned).zip(&medians) {
            println!(
                "| {size} | {whose} | {} | {:.0} ms | {:.1} MB | {:.3} ms | {:+.3} ms |",
                alignment.kind(),
                1e3 * made.as_secs_f64(),
                alignment.memory() as f64 / 1e6,
                1e3 * time,
                1e3 * (time - medians[0]),
            );
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Seconds a token of one answer takes.
async fn session(alignment: &Arc<Alignment>, size: usize, seed: u64) -> f64 {
    let lane: Arc<dyn Lane> = Arc::new(Instantly::new(size, seed));
    let plan = Plan {
        caller: Caller::default(),
        prompt: Prefix::new(Arc::default(), vec![TokenId(1)]),
        rule: Rule {
            strength: Strength::new(1.0).unwrap(),
            delta_floor: 0.0,
            plausibility: 0.0,
            cap: None,
        },
        sampling: Sampling::default(),
        penalties: Penalties::default(),
        list: None,
        traced: false,
        exactness: Exactness::Certify,
        forced_stop: None,
        gate: GateRule {
            mode: GateMode::Off,
            threshold: 0.1,
            positions: 3,
        },
        limits: Limits {
            max_tokens: TOKENS,
            lookahead: Lookahead::Fixed(TOKENS),
            top_k: K,
        },
        local_room: usize::MAX,
    };
    let upstream = Arc::new(Drafts { size, seed });
    let mut session = Session::open(upstream, lane, alignment, &[], &[], plan).await.unwrap();
    let start = Instant::now();
    let mut tokens = 0;
    while session.next().await.unwrap().is_some() {
        tokens += 1;
    }
    start.elapsed().as_secs_f64() / f64::from(tokens)
}

/// A small model that has its logits ready.
struct Instantly {
    rows: Arc<Vec<Vec<f32>>>,
}

impl Instantly {
    fn new(size: usize, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut row = || (0..size).map(|_| random.random_range(-2.0..2.0)).collect();
        Self {
            rows: Arc::new((0..8).map(|_| row()).collect()),
        }
    }
}

impl Lane for Instantly {
    fn open<'a>(
        self: Arc<Self>,
        _public: &'a [TokenId],
        _private: &'a [TokenId],
    ) -> BoxFuture<'a, Result<Box<dyn BranchPair>, LocalError>> {
        let pair = Ready {
            rows: Arc::clone(&self.rows),
            at: 0,
        };
        async move { Ok(Box::new(pair) as Box<dyn BranchPair>) }.boxed()
    }
}

struct Ready {
    rows: Arc<Vec<Vec<f32>>>,
    at: usize,
}

impl BranchPair for Ready {
    fn logits(&mut self) -> BoxFuture<'_, Result<PairStep, LocalError>> {
        let step = |at: usize| Step {
            logits: self.rows[at % self.rows.len()].clone(),
            compute: Duration::ZERO,
        };
        let pair = PairStep {
            public: step(self.at),
            private: step(self.at + 1),
        };
        async move { Ok(pair) }.boxed()
    }

    fn feed(&mut self, tokens: &[TokenId]) {
        self.at += tokens.len();
    }
}

/// An upstream that is sure of what it drafts, and has drafted it.
struct Drafts {
    size: usize,
    seed: u64,
}

impl Upstream for Drafts {
    fn positions(&self, request: PositionRequest) -> BoxFuture<'_, Result<Positions, UpstreamError>> {
        let mut random = StdRng::seed_from_u64(self.seed ^ request.prefix.ids.len() as u64);
        let size = self.size as u32;
        let positions = (0..request.window).map(move |_| {
            let first = random.random_range(0..size);
            let others = (1..K as u32).map(|rank| (TokenId((first + rank * 17) % size), -12.0 - f64::from(rank)));
            Ok(Position {
                draft: TokenId(first),
                candidates: std::iter::once((TokenId(first), -0.001)).chain(others).collect(),
            })
        });
        let positions: Vec<_> = positions.collect();
        async move { Ok(stream::iter(positions).boxed()) }.boxed()
    }

    fn candidates(&self, _: CandidateRequest) -> BoxFuture<'_, Result<Vec<(TokenId, f64)>, UpstreamError>> {
        async { Ok(Vec::new()) }.boxed()
    }
}

/// A byte-level vocabulary of made-up words: half of them are the same for every `kind`.
fn tokenizer(size: usize, kind: u64) -> Arc<Tokenizer> {
    let (mut shared, mut own) = (StdRng::seed_from_u64(0), StdRng::seed_from_u64(kind));
    let letters: Vec<char> = ('a'..='z').collect();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut words: Vec<String> = letters.iter().map(char::to_string).chain(["Ġ".to_owned()]).collect();
    seen.extend(words.iter().cloned());
    while words.len() < size - 1 {
        let random = if words.len() < size / 2 { &mut shared } else { &mut own };
        let space = if random.random_bool(0.6) { "Ġ" } else { "" };
        let length = random.random_range(2..9);
        let word: String = (0..length).map(|_| *letters.choose(random).unwrap()).collect();
        let word = format!("{space}{word}");
        if seen.insert(word.clone()) {
            words.push(word);
        }
    }
    let vocabulary: Map<String, Value> = words
        .into_iter()
        .enumerate()
        .map(|(id, word)| (word, id.into()))
        .collect();
    let folder = std::env::temp_dir().join(format!("costeer-bench-{}-{size}-{kind}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, value: Value| std::fs::write(folder.join(name), value.to_string()).unwrap();
    write(
        "tokenizer.json",
        json!({
            "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "post_processor": null,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
            "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
            "added_tokens": [{
                "id": size - 1, "content": "<end>", "special": true, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false
            }],
            "model": {
                "type": "BPE", "vocab": vocabulary, "merges": [], "dropout": null, "unk_token": null,
                "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
                "ignore_merges": false
            }
        }),
    );
    write(
        "tokenizer_config.json",
        json!({"eos_token": "<end>", "chat_template": "{{ messages[0].content }}"}),
    );
    let loaded = Tokenizer::load(&folder).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    Arc::new(loaded)
}
