//! What bringing two vocabularies together costs a token. `cargo bench --bench alignment` takes made-up vocabularies, and an upstream and a small model
//! that answer at once, so that what is left is this program's own time. `cargo bench --bench alignment -- MODEL TOKENIZER` takes a real small
//! model in a directory, and the tokenizer of another family for the upstream (`benches/synthetic.py` makes models of any shape).

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and stops where it cannot go on"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use costeer::decode::{BypassMode, BypassRule, Exactness, Lookahead, Plan, Reasoning, Session, SessionLimits, Tools};
use costeer::local::{
    BranchPair, EngineOptions, LocalError, LocalModel, ModelSource, Owner, PairLogits, Precision, Rows, Slot,
    SlotLimits, SlotPool,
};
use costeer::steering::{Penalties, Rule, Sampling, Strength};
use costeer::upstream::{
    Caller, CandidateRequest, Position, PositionRequest, Positions, Prefix, Upstream, UpstreamError,
};
use costeer::vocabulary::{Alignment, AlignmentChoice, ModelFiles, TokenId, Tokenizer};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

const SIZES: [usize; 2] = [49_152, 152_064];
const TOKENS: usize = 200;
/// A real small model takes its time.
const TOKENS_OF_A_MODEL: usize = 40;
const REPEATS: usize = 7;
const K: usize = 20;

/// What the upstream writes in the runs with a real small model: English that does not change.
const TEXT: &str = include_str!("../LICENSE");

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    println!(
        "| vocabulary | upstream's | alignment | made in | maps | tokens read for one written | a token, median of {REPEATS} | more |"
    );
    println!("|---:|---|---|---:|---:|---:|---:|---:|");
    let folders: Vec<PathBuf> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .map(PathBuf::from)
        .collect();
    if let [model, tokenizer] = folders.as_slice() {
        let local = Arc::new(Tokenizer::load(model).unwrap());
        let slots = runtime.block_on(load(model, local.end()));
        let slot = runtime.block_on(slots.slot(Owner::default())).unwrap();
        let upstream = Arc::new(Tokenizer::load(tokenizer).unwrap());
        compare(&runtime, &slot, &local, &upstream, |upstream| {
            let text = upstream.encode(TEXT).unwrap();
            text.into_iter().skip(1).take(TOKENS_OF_A_MODEL).collect()
        });
        return;
    }
    for size in SIZES {
        let (local, upstream) = (tokenizer(size, 1), tokenizer(size, 2));
        let slot: Arc<dyn Slot> = Arc::new(Instantly::new(size));
        compare(&runtime, &slot, &local, &upstream, |_| {
            let mut random = StdRng::seed_from_u64(3);
            (0..TOKENS)
                .map(|_| TokenId(random.random_range(0..size as u32 - 1)))
                .collect()
        });
    }
}

async fn load(folder: &Path, end: TokenId) -> Arc<SlotPool> {
    let source = ModelSource::locate("MODEL", &folder.to_string_lossy()).await.unwrap();
    let options = EngineOptions {
        precision: Precision::F32,
        quantisation: None,
        force_cpu: false,
    };
    let limits = SlotLimits {
        slots: 1,
        queue: 0,
        queue_timeout: Duration::ZERO,
    };
    let context_length = ModelFiles::read(folder).unwrap().context_length();
    SlotPool::load(&source, &options, limits, end, context_length)
        .await
        .unwrap()
}

/// Prints a row for each way in which `local` can be aligned with an upstream of its own and of another vocabulary, which writes `text`.
fn compare(
    runtime: &Runtime,
    slot: &Arc<dyn Slot>,
    local: &Arc<Tokenizer>,
    other: &Arc<Tokenizer>,
    text: impl Fn(&Tokenizer) -> Vec<TokenId>,
) {
    let cases = [
        ("the same", local, AlignmentChoice::Identical),
        ("the same", local, AlignmentChoice::Intersection),
        ("the same", local, AlignmentChoice::Bytes),
        ("another", other, AlignmentChoice::Intersection),
        ("another", other, AlignmentChoice::Bytes),
    ];
    let aligned: Vec<(Arc<Alignment>, Duration)> = cases
        .iter()
        .map(|(_, upstream, choice)| {
            let start = Instant::now();
            let alignment = Alignment::new(*choice, Arc::clone(upstream), Arc::clone(local)).unwrap();
            (Arc::new(alignment), start.elapsed())
        })
        .collect();
    let mut seconds = vec![Vec::new(); cases.len()];
    let mut read = vec![0.0; cases.len()];
    // Taken in turns, so that whatever else the machine does meets all of them.
    for _ in 0..REPEATS {
        for (case, (alignment, _)) in aligned.iter().enumerate() {
            let counted = Arc::new(Counting {
                slot: Arc::clone(slot),
                fed: Arc::default(),
            });
            let fed = Arc::clone(&counted.fed);
            let (time, written) = runtime.block_on(session(alignment, counted, text(alignment.upstream())));
            seconds[case].push(time);
            read[case] = fed.load(Ordering::Relaxed) as f64 / written as f64;
        }
    }
    let medians: Vec<f64> = seconds.into_iter().map(median).collect();
    for (case, (whose, ..)) in cases.iter().enumerate() {
        let (alignment, made) = &aligned[case];
        println!(
            "| {} | {whose} | {} | {:.0} ms | {:.1} MB | {:.2} | {:.3} ms | {:+.3} ms, {:+.1} % |",
            local.selectable().len(),
            alignment.kind(),
            1e3 * made.as_secs_f64(),
            alignment.memory() as f64 / 1e6,
            read[case],
            1e3 * medians[case],
            1e3 * (medians[case] - medians[0]),
            1e2 * (medians[case] / medians[0] - 1.0),
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Seconds a token of the answer `drafts` takes, and how many there were.
async fn session(alignment: &Arc<Alignment>, slot: Arc<dyn Slot>, drafts: Vec<TokenId>) -> (f64, usize) {
    let plan = Plan {
        grammar: None,
        forced_call: None,
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
        bypass: BypassRule {
            mode: BypassMode::Off,
            threshold: 0.1,
            positions: 3,
        },
        thinking: None,
        reasoning: Reasoning::Plain,
        calls: None,
        tools: Tools::Prose,
        limits: SessionLimits {
            max_tokens: drafts.len(),
            lookahead: Lookahead::Fixed(drafts.len()),
            top_k: K,
        },
        local_room: usize::MAX,
    };
    let upstream = Arc::new(Drafts {
        tokens: drafts,
        size: alignment.upstream().selectable().len() as u32,
    });
    let prompts = [[1, 2, 3], [4, 5, 6]].map(|ids| ids.map(TokenId));
    let mut session = Session::open(upstream, slot, alignment, &prompts[0], &prompts[1], plan)
        .await
        .unwrap();
    session.next().await.unwrap();
    // Prompts are no part of it.
    let start = Instant::now();
    let mut tokens = 0;
    while session.next().await.unwrap().is_some() {
        tokens += 1;
    }
    (start.elapsed().as_secs_f64() / tokens as f64, tokens)
}

/// A slot that counts what its branches are fed.
struct Counting {
    slot: Arc<dyn Slot>,
    fed: Arc<AtomicUsize>,
}

struct CountingPair {
    pair: Box<dyn BranchPair>,
    fed: Arc<AtomicUsize>,
}

impl Slot for Counting {
    fn open<'a>(
        self: Arc<Self>,
        public: &'a [TokenId],
        private: &'a [TokenId],
    ) -> BoxFuture<'a, Result<Box<dyn BranchPair>, LocalError>> {
        let fed = Arc::clone(&self.fed);
        async move {
            let pair = Arc::clone(&self.slot).open(public, private).await?;
            Ok(Box::new(CountingPair { pair, fed }) as Box<dyn BranchPair>)
        }
        .boxed()
    }
}

impl BranchPair for CountingPair {
    fn extend(&mut self, tokens: &[TokenId], rows: usize) {
        self.fed.fetch_add(tokens.len(), Ordering::Relaxed);
        self.pair.extend(tokens, rows);
    }

    fn logits(&mut self) -> BoxFuture<'_, Result<Rows, LocalError>> {
        self.pair.logits()
    }

    fn truncate(&mut self, answer: usize) {
        self.pair.truncate(answer);
    }

    fn max_block(&self) -> usize {
        self.pair.max_block()
    }
}

/// A small model that has its logits ready.
struct Instantly {
    rows: Arc<Vec<Vec<f32>>>,
}

impl Instantly {
    fn new(size: usize) -> Self {
        let mut random = StdRng::seed_from_u64(4);
        let mut row = || (0..size).map(|_| random.random_range(-2.0..2.0)).collect();
        Self {
            rows: Arc::new((0..8).map(|_| row()).collect()),
        }
    }
}

impl Slot for Instantly {
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
    fn extend(&mut self, tokens: &[TokenId], _rows: usize) {
        self.at += tokens.len();
    }

    fn logits(&mut self) -> BoxFuture<'_, Result<Rows, LocalError>> {
        let logits = |at: usize| self.rows[at % self.rows.len()].clone();
        let rows = Rows {
            positions: vec![PairLogits {
                public: logits(self.at),
                private: logits(self.at + 1),
            }],
            compute: Duration::ZERO,
        };
        async move { Ok(rows) }.boxed()
    }

    fn truncate(&mut self, _answer: usize) {}

    fn max_block(&self) -> usize {
        1
    }
}

/// An upstream that is sure of what it drafts, and has drafted it.
struct Drafts {
    tokens: Vec<TokenId>,
    size: u32,
}

impl Upstream for Drafts {
    fn positions(&self, request: PositionRequest) -> BoxFuture<'_, Result<Positions, UpstreamError>> {
        let rest = self.tokens.iter().skip(request.prefix.picked().len());
        let positions = rest.take(request.window).map(|draft| {
            let others =
                (1..K as u32).map(|rank| (TokenId((draft.0 + rank * 17) % self.size), -12.0 - f64::from(rank)));
            Ok(Position {
                draft: *draft,
                candidates: std::iter::once((*draft, -0.001)).chain(others).collect(),
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
