//! The window that adapts, beside the best fixed one, in one regime after the other.

use super::super::Lookahead;
use super::super::allowance::STRETCH;
use super::simulation::{Answer, Engine, Regime, changes, play};

const TOKENS: usize = 150;
const FIXED: [usize; 11] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64];
/// As in config/default.toml.
const WASTE: f64 = 1.5;
const ADAPTIVE: Lookahead = Lookahead::Adaptive { most: 64, waste: WASTE };
const ENGINES: [Engine; 3] = [Engine::Ahead, Engine::Single, Engine::Blocks];

fn regimes(engine: Engine) -> impl Iterator<Item = Regime> {
    let paces = [0.005, 0.020, 0.040].into_iter();
    paces.flat_map(move |pace| {
        let delays = [0.001, 0.050, 0.200].into_iter();
        delays.flat_map(move |delay| {
            let locals = [0.005, 0.020, 0.060].into_iter();
            locals.map(move |local| Regime {
                engine,
                pace,
                delay,
                local,
            })
        })
    })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// A lookahead in a regime: the same answers for each lookahead.
struct Played {
    answers: Vec<Answer>,
    seconds: f64,
}

impl Played {
    fn new(regime: &Regime, change: f64, lookahead: Lookahead, seeds: u64) -> Self {
        let answer = |seed| play(regime, lookahead, &changes(TOKENS, change, seed), seed + 1_000);
        let answers: Vec<Answer> = (0..seeds).map(answer).collect();
        let seconds = median(answers.iter().map(|answer| answer.seconds));
        Self { answers, seconds }
    }

    fn share(&self, of: impl Fn(&Answer) -> usize, beside: impl Fn(&Answer) -> usize) -> f64 {
        let part: usize = self.answers.iter().map(of).sum();
        let whole: usize = self.answers.iter().map(beside).sum();
        part as f64 / whole as f64
    }
}

/// The best fixed window and its time.
fn best_fixed(regime: &Regime, change: f64, seeds: u64) -> (usize, f64) {
    let timed = FIXED.map(|window| {
        (
            window,
            Played::new(regime, change, Lookahead::Fixed(window), seeds).seconds,
        )
    });
    timed
        .into_iter()
        .min_by(|left, right| left.1.total_cmp(&right.1))
        .unwrap()
}

fn assert_waste_is_bounded(answer: &Answer) {
    for from in 0..answer.drafts.len() {
        let (mut used, mut wasted) = (0, 0);
        for draft in &answer.drafts[from..] {
            used += draft.used;
            wasted += draft.unused;
            assert!(wasted as f64 <= WASTE * (used as f64 + STRETCH) + 1e-6);
        }
    }
}

#[test]
fn in_every_regime_it_is_nearly_as_fast_as_the_best_fixed_window_and_its_waste_is_bounded() {
    for (engine, change) in ENGINES
        .into_iter()
        .flat_map(|engine| [0.05, 0.17, 0.35].map(|change| (engine, change)))
    {
        for regime in regimes(engine) {
            let adaptive = Played::new(&regime, change, ADAPTIVE, 31);
            let (window, best) = best_fixed(&regime, change, 31);
            let ratio = adaptive.seconds / best;
            assert!(
                ratio <= 1.10,
                "{regime:?}, change {change}: {ratio:.3} × a window of {window}"
            );
            adaptive.answers.iter().for_each(assert_waste_is_bounded);
            let cut = adaptive.share(
                |answer| answer.drafts.iter().filter(|draft| draft.cut).count(),
                |answer| answer.drafts.len(),
            );
            assert!(
                cut < 0.1,
                "{regime:?}, change {change}: {cut:.2} of the drafts ended early"
            );
        }
    }
}

/// 30 tokens at which every draft breaks; 50 tokens later that is made good.
#[test]
fn it_recovers_from_a_bad_spell() {
    for regime in ENGINES.into_iter().flat_map(regimes) {
        let last_100 = |spell: usize| {
            median((0..15).map(|seed| {
                let tokens = [vec![true; spell], changes(TOKENS, 0.05, seed)].concat();
                let picked_at = play(&regime, ADAPTIVE, &tokens, seed).picked_at;
                picked_at[picked_at.len() - 1] - picked_at[picked_at.len() - 101]
            }))
        };
        let (plain, spoilt) = (last_100(0), last_100(30));
        assert!(
            spoilt <= 1.25 * plain,
            "{regime:?}: {spoilt:.2} s instead of {plain:.2} s"
        );
    }
}

/// The table of docs/src/design/lookahead.md.
#[test]
#[ignore = "prints a table"]
fn table() {
    for engine in ENGINES {
        println!("\n{engine:?}\n");
        println!("| pace, delay, local (ms) | 5 % change | 17 % change | 35 % change |\n|---|---|---|---|");
        for regime in regimes(engine) {
            let [pace, delay, local] = [regime.pace, regime.delay, regime.local].map(|time| time * 1e3);
            let cells = [0.05, 0.17, 0.35].map(|change| cell(&regime, change));
            println!("| {pace:.0}, {delay:.0}, {local:.0} | {} |", cells.join(" | "));
        }
    }
}

fn cell(regime: &Regime, change: f64) -> String {
    let adaptive = Played::new(regime, change, ADAPTIVE, 101);
    let (window, best) = best_fixed(regime, change, 101);
    let a_token = |seconds: f64| seconds / TOKENS as f64 * 1e3;
    format!(
        "{:.1}; {:.1} ({window}); {:.2}; {:.2}; {:.2}",
        a_token(adaptive.seconds),
        a_token(best),
        adaptive.seconds / best,
        adaptive.share(|answer| answer.drafts.len(), Answer::used),
        adaptive.share(Answer::wasted, Answer::used),
    )
}
