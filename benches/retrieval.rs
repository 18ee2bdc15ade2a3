//! How long it takes to find five documents among 100,000, and whether they are those that FTS5's own ranking over all terms
//! finds.
//!
//! `cargo bench --bench retrieval`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench that cannot go on should say so and stop"
)]

use std::cell::Cell;
use std::hint::black_box;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use costeer::store::{Document, KeySource, Profile, ProfileName, Store};
use criterion::Criterion;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rusqlite::Connection;

const DOCUMENTS: usize = 100_000;
/// 80 on average. With lengths that differ, few documents fit a question equally well.
const DOCUMENT_WORDS: RangeInclusive<usize> = 30..=130;
const TITLE_WORDS: usize = 4;
const BATCH: usize = 1000;
/// Words besides [`STOP_WORDS`].
const VOCABULARY: usize = 60_000;
const COUNT: usize = 5;
/// Different questions of each kind.
const QUESTIONS: usize = 100;

/// The commonest words of English, so that the text has as many as English has, and is taken for it.
const STOP_WORDS: [&str; 30] = [
    "the", "of", "and", "to", "in", "a", "is", "that", "for", "it", "was", "with", "as", "on", "be", "by", "at",
    "this", "are", "from", "or", "but", "not", "which", "you", "his", "they", "an", "were", "she",
];

/// Words that follow Zipf's law: each as often as its rank says.
struct Language {
    words: Vec<String>,
    /// Sums of the frequencies up to each word.
    sums: Vec<f64>,
}

impl Language {
    fn new(random: &mut ChaCha8Rng) -> Self {
        let (onsets, vowels) = (
            [
                "b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "th", "w", "st",
            ],
            ["a", "e", "i", "o"],
        );
        let mut made: Vec<String> = (0..VOCABULARY)
            .map(|index| {
                let syllable = |index: usize| format!("{}{}", onsets[index % 16], vowels[index / 16 % 4]);
                // With a digit no stemmer touches it, and what is looked up is what was written.
                format!(
                    "{}{}{}{}",
                    syllable(index),
                    syllable(index / 64),
                    syllable(index / 4096 + 16),
                    index % 10
                )
            })
            .collect();
        made.shuffle(random);
        let words: Vec<String> = STOP_WORDS.map(str::to_owned).into_iter().chain(made).collect();
        let mut sum = 0.0;
        let sums = (1..=words.len()).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Self {
            sums: sums.collect(),
            words,
        }
    }

    fn word(&self, random: &mut ChaCha8Rng) -> &str {
        let drawn = random.random_range(0.0..self.sums[self.sums.len() - 1]);
        &self.words[self.sums.partition_point(|sum| *sum <= drawn)]
    }

    fn text(&self, words: usize, random: &mut ChaCha8Rng) -> String {
        let words: Vec<&str> = (0..words).map(|_| self.word(random)).collect();
        words.join(" ")
    }

    /// A word that says something, of those with ranks from `first` on.
    fn ranked(&self, first: usize, random: &mut ChaCha8Rng) -> String {
        self.words[STOP_WORDS.len() + first + random.random_range(0..=first / 10)].clone()
    }
}

struct Stage {
    folder: PathBuf,
    store: Store,
    profile: ProfileName,
    raw: Connection,
}

impl Stage {
    fn new(language: &Language, random: &mut ChaCha8Rng) -> Self {
        let folder = std::env::temp_dir().join(format!("costeer-retrieval-{}", std::process::id()));
        let path = folder.join("profiles.db");
        let store = Store::open(&path, &KeySource::None).unwrap();
        let profile = ProfileName::new("ada").unwrap();
        store.create_profile(&profile, &Profile::default()).unwrap();
        let mut importing = Duration::ZERO;
        for _ in 0..DOCUMENTS / BATCH {
            let document = |_| Document {
                title: language.text(TITLE_WORDS, random).into(),
                text: language.text(random.random_range(DOCUMENT_WORDS), random).into(),
                ..Document::default()
            };
            let documents: Vec<Document> = (0..BATCH).map(document).collect();
            let begun = Instant::now();
            store.import(&profile, &documents).unwrap();
            importing += begun.elapsed();
        }
        let raw = Connection::open(&path).unwrap();
        let stage = Self {
            folder,
            store,
            profile,
            raw,
        };
        println!(
            "{DOCUMENTS} documents imported in {importing:.1?}: {} MB",
            size(&path) / 1_000_000
        );
        let languages =
            "SELECT count(*), count(*) FILTER (WHERE language = 'eng'), count(DISTINCT language) FROM documents";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        println!(
            "(documents, taken for English, languages): {:?}",
            stage.raw.query_row(languages, [], row).unwrap()
        );
        stage
    }

    fn ours(&self, question: &str) -> Vec<i64> {
        let hits = self.store.search(&self.profile, question, COUNT).unwrap();
        hits.iter().map(|hit| hit.stored.id.0).collect()
    }

    /// A question about a document: so many of its words, and others. And the document.
    fn about(&self, own: usize, others: usize, language: &Language, random: &mut ChaCha8Rng) -> (String, Option<i64>) {
        let wanted = random.random_range(1..=DOCUMENTS as i64);
        let text = self
            .raw
            .query_row("SELECT text FROM documents WHERE id = ?", [wanted], |row| {
                row.get::<_, String>(0)
            });
        let text = text.unwrap();
        let words: Vec<&str> = text.split(' ').collect();
        let own = words.choose_multiple(random, own).map(|word| (*word).to_owned());
        let all: Vec<String> = own
            .chain((0..others).map(|_| language.word(random).to_owned()))
            .collect();
        (all.join(" "), Some(wanted))
    }

    /// FTS5's ranking over all words that are no stop words, with the weight that titles have in ours.
    fn baseline(&self, question: &str) -> Vec<i64> {
        let mut words: Vec<&str> = question.split(' ').filter(|word| !STOP_WORDS.contains(word)).collect();
        words.sort_unstable();
        words.dedup();
        let mut statement = self
            .raw
            .prepare_cached(
                "SELECT rowid FROM terms_1 WHERE terms_1 MATCH ? AND rank MATCH 'bm25(2.0, 1.0)' ORDER BY rank LIMIT ?",
            )
            .unwrap();
        let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        let rows = statement
            .query_map((quoted.join(" OR "), COUNT as i64), |row| row.get(0))
            .unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

fn size(path: &Path) -> u64 {
    path.metadata().unwrap().len()
}

/// A question, and the document it is about, where it is about one.
type Question = (String, Option<i64>);

/// What came of the questions of one kind.
#[derive(Default)]
struct Outcome {
    ours: Vec<f64>,
    theirs: Vec<f64>,
    /// Documents FTS5 has found, and those of them that ours has, too.
    all: usize,
    shared: usize,
    /// How often the document that is asked about is among the found.
    found: usize,
    found_by_fts5: usize,
}

impl Outcome {
    fn of(stage: &Stage, questions: &[Question]) -> Self {
        let mut outcome = Self::default();
        for (question, wanted) in questions {
            let (ours, time) = timed(|| stage.ours(question));
            outcome.ours.push(time);
            let (theirs, time) = timed(|| stage.baseline(question));
            outcome.theirs.push(time);
            outcome.all += theirs.len();
            outcome.shared += theirs.iter().filter(|id| ours.contains(id)).count();
            outcome.found += usize::from(wanted.is_some_and(|wanted| ours.contains(&wanted)));
            outcome.found_by_fts5 += usize::from(wanted.is_some_and(|wanted| theirs.contains(&wanted)));
        }
        outcome.ours.sort_unstable_by(f64::total_cmp);
        outcome.theirs.sort_unstable_by(f64::total_cmp);
        outcome
    }

    fn row(&self) -> String {
        let times = |times: &[f64]| format!("{:.1} / {:.1}", times[times.len() / 2], times[times.len() - 1]);
        format!(
            "{} | {} | {:.0} % | {} / {}",
            times(&self.ours),
            times(&self.theirs),
            100.0 * self.shared as f64 / self.all.max(1) as f64,
            self.found,
            self.found_by_fts5
        )
    }
}

/// What `work` gives, and how many milliseconds it takes.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begun = Instant::now();
    let done = work();
    (done, begun.elapsed().as_secs_f64() * 1e3)
}

fn main() {
    let random = &mut ChaCha8Rng::seed_from_u64(7);
    let language = &Language::new(random);
    let stage = &Stage::new(language, random);
    let mut questions = |make: &dyn Fn(&mut ChaCha8Rng) -> Question| -> Vec<Question> {
        (0..QUESTIONS).map(|_| make(random)).collect()
    };
    let any = |text: String| (text, None);
    let kinds = [
        ("5 words", questions(&|random| any(language.text(5, random)))),
        ("150 words", questions(&|random| any(language.text(150, random)))),
        (
            "5 words of a document",
            questions(&|random| stage.about(5, 0, language, random)),
        ),
        (
            "150 words, 20 of a document",
            questions(&|random| stage.about(20, 130, language, random)),
        ),
        ("a common word", questions(&|random| any(language.ranked(0, random)))),
        (
            "a common and a rare word",
            questions(&|random| {
                any(format!(
                    "{} {}",
                    language.ranked(0, random),
                    language.ranked(20_000, random)
                ))
            }),
        ),
        ("a rare word", questions(&|random| any(language.ranked(20_000, random)))),
    ];
    println!(
        "| question | ours, ms: median / longest | FTS5, ms | of FTS5's {COUNT}, ours has | asked about, found of {QUESTIONS}: ours / FTS5 |"
    );
    println!("|---|---|---|---|---|");
    for (name, questions) in &kinds {
        println!("| {name} | {} |", Outcome::of(stage, questions).row());
    }
    let mut criterion = Criterion::default().configure_from_args().sample_size(10);
    for (name, questions) in &kinds {
        let next = Cell::new(0);
        // Questions differ; each sample goes on with the next.
        let question = || &questions[next.replace((next.get() + 1) % QUESTIONS)].0;
        criterion.bench_function(name, |bencher| bencher.iter(|| stage.ours(black_box(question()))));
    }
    criterion.final_summary();
}
