//! Finding five documents among 100,000, beside FTS5's own BM25 over all terms of the question.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    missing_docs,
    reason = "a bench that cannot go on should say so and stop"
)]

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;

use costeer::store::{Document, KeySource, Profile, ProfileName, Store};
use criterion::Criterion;
use rand::distr::weighted::WeightedIndex;
use rand::prelude::*;
use rand_chacha::ChaCha8Rng;
use rusqlite::Connection;

const DOCUMENTS: usize = 100_000;
const WORDS: usize = 60_000;
const LENGTH: usize = 80;
/// Questions for which the five are compared with the baseline's.
const COMPARED: usize = 100;

/// Words as frequent as in natural text (Zipf's law), made of syllables so that stems and stop words find nothing to do.
struct Language {
    words: Vec<String>,
    frequencies: WeightedIndex<f64>,
}

impl Language {
    fn new() -> Self {
        let syllables = ["ka", "lo", "mi", "ru", "te", "vo", "za", "ni", "pu", "xo"];
        let word = |index: usize| -> String {
            let digits = format!("{index:05}");
            digits.bytes().map(|digit| syllables[usize::from(digit - b'0')]).collect()
        };
        let weights = (0..WORDS).map(|rank| 1.0 / (rank as f64 + 2.7).powf(1.05));
        Self {
            words: (0..WORDS).map(word).collect(),
            frequencies: WeightedIndex::new(weights).unwrap(),
        }
    }

    fn text(&self, length: usize, random: &mut ChaCha8Rng) -> String {
        let words: Vec<&str> = (0..length).map(|_| self.words[self.frequencies.sample(random)].as_str()).collect();
        words.join(" ")
    }
}

struct Stage {
    folder: PathBuf,
    store: Store,
    name: ProfileName,
    raw: Connection,
}

impl Stage {
    fn new(language: &Language, random: &mut ChaCha8Rng) -> Self {
        let folder = std::env::temp_dir().join(format!("costeer-bench-{}", std::process::id()));
        let file = folder.join("profiles.db");
        let store = Store::open(&file, &KeySource::None).unwrap();
        let name = ProfileName::new("ada").unwrap();
        store.create_profile(&name, &Profile::default()).unwrap();
        let begun = Instant::now();
        for _ in 0..DOCUMENTS / 500 {
            let documents: Vec<Document> = (0..500)
                .map(|_| Document {
                    title: language.text(4, random).into(),
                    text: language.text(LENGTH, random).into(),
                    ..Document::default()
                })
                .collect();
            store.import(&name, &documents).unwrap();
        }
        let size = std::fs::metadata(&file).unwrap().len() >> 20;
        eprintln!("{DOCUMENTS} documents imported in {:.1} s, {size} MiB", begun.elapsed().as_secs_f64());
        let raw = Connection::open(&file).unwrap();
        Self {
            folder,
            store,
            name,
            raw,
        }
    }

    fn ours(&self, query: &str) -> Vec<i64> {
        let hits = self.store.search(&self.name, query, 5).unwrap();
        hits.iter().map(|hit| hit.id.0).collect()
    }

    /// Every word of the question, each as often as it likes.
    fn baseline(&self, query: &str) -> Vec<i64> {
        let mut words: Vec<&str> = query.split(' ').collect();
        words.sort_unstable();
        words.dedup();
        let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        let mut statement = self
            .raw
            .prepare_cached("SELECT rowid FROM terms_1 WHERE terms_1 MATCH ? ORDER BY bm25(terms_1, 2.0, 1.0) LIMIT 5")
            .unwrap();
        let rows = statement.query_map([quoted.join(" OR ")], |row| row.get(0)).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

fn main() {
    let language = Language::new();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let stage = Stage::new(&language, &mut random);
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let questions = [
        ("5 words", language.text(5, &mut random)),
        ("a paragraph of 150 words", language.text(150, &mut random)),
        ("the commonest word", language.words[0].clone()),
        ("a common and a rare word", format!("{} {}", language.words[1], language.words[20_000])),
        ("a rare word", language.words[20_000].clone()),
    ];
    let mut group = criterion.benchmark_group("five of 100,000");
    for (what, question) in &questions {
        group.bench_function(*what, |bencher| bencher.iter(|| black_box(stage.ours(question))));
        group.bench_function(format!("{what}, FTS5 over all words"), |bencher| {
            bencher.iter(|| black_box(stage.baseline(question)));
        });
    }
    group.finish();
    criterion.final_summary();
    for length in [5, 20, 150] {
        let (mut same, mut all, mut slowest) = (0, 0, 0.0_f64);
        for _ in 0..COMPARED {
            let question = language.text(length, &mut random);
            let begun = Instant::now();
            let ours = stage.ours(&question);
            slowest = slowest.max(begun.elapsed().as_secs_f64());
            let baseline = stage.baseline(&question);
            same += ours.iter().filter(|id| baseline.contains(id)).count();
            all += baseline.len();
        }
        eprintln!("{length} words: {same} of the baseline's {all} are among ours; slowest of {COMPARED} {:.1} ms", 1e3 * slowest);
    }
}
