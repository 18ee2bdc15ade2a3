//! Answers from upstreams with a pace and a delay, as drafts of several lengths see them.

use std::sync::Arc;

use costeer::service::Service;

use crate::REPEATS;
use crate::models::Model;
use crate::stage::{Answer, Question, service};
use crate::table::{Goal, Row, median};
use crate::texts::Texts;
use crate::upstream::{Habits, PacedUpstream};

const TOKENS: usize = 150;

/// Words of the context: the first token is measured elsewhere.
const WORDS: usize = 20;

/// The one with goals of its own comes first.
const REGIMES: [Habits; 5] = [
    habits(20, 50, 40),
    habits(5, 1, 40),
    habits(5, 200, 12),
    habits(40, 50, 12),
    habits(20, 200, 80),
];

const fn habits(pace: u64, delay: u64, near: u64) -> Habits {
    Habits { pace, delay, near }
}

/// Fixed ones, the shortest first, and then the one that adapts.
const LOOKAHEADS: [&str; 5] = ["1", "4", "8", "16", "adaptive"];

pub async fn measure(model: &Model, texts: &Texts) {
    let question = Question::new(texts.question(0), texts.context(0, WORDS), TOKENS);
    for (number, habits) in REGIMES.into_iter().enumerate() {
        Regime::measure(model, &question, habits).await.print(number == 0);
    }
}

struct System {
    service: Arc<Service>,
    answers: Vec<Answer>,
    requests: Vec<f64>,
}

impl System {
    fn walls(&self) -> Vec<f64> {
        let walls = self.answers.iter().map(|answer| answer.wall.as_secs_f64());
        walls.collect()
    }
}

struct Regime {
    habits: Habits,
    plain: Vec<f64>,
    systems: Vec<System>,
}

impl Regime {
    async fn measure(model: &Model, question: &Question, habits: Habits) -> Self {
        let upstream = PacedUpstream::start(habits).await;
        let mut regime = Self {
            habits,
            plain: Vec::new(),
            systems: Vec::new(),
        };
        for lookahead in LOOKAHEADS {
            let service = service(model, &upstream, &[("upstream.lookahead", lookahead)]).await;
            // The prompts are remembered from here on.
            question.first_token(&service).await;
            regime.systems.push(System {
                service,
                answers: Vec::new(),
                requests: Vec::new(),
            });
        }
        for _ in 0..REPEATS {
            regime.plain.push(upstream.plain(TOKENS).await);
            for system in &mut regime.systems {
                let before = upstream.requests();
                system.answers.push(question.answer_and_read(&system.service).await);
                system.requests.push((upstream.requests() - before) as f64);
            }
        }
        regime
    }

    fn print(&self, has_goals: bool) {
        let [one, .., adaptive] = &self.systems[..] else {
            return;
        };
        let walls = adaptive.walls();
        if has_goals {
            let ideal = self.ideal(adaptive);
            self.row("plain", &self.plain, None, Goal::None);
            let beside = ("plain and a delay for each change", &ideal[..]);
            self.row("adaptive", &walls, Some(beside), Goal::AtMost(1.2));
            let beside = ("adaptive", &walls[..]);
            self.row("lookahead 1", &one.walls(), Some(beside), Goal::AtLeast(2.5));
        }
        let fixed = LOOKAHEADS.iter().zip(&self.systems).take(LOOKAHEADS.len() - 1);
        let fixed = fixed.map(|(lookahead, system)| (lookahead, system.walls()));
        let best = fixed.min_by(|(_, left), (_, right)| median(left).total_cmp(&median(right)));
        let (lookahead, best) = best.unwrap();
        let what = format!("adaptive, {} requests", median(&adaptive.requests));
        let beside = format!("best fixed lookahead, {lookahead}");
        self.row(&what, &walls, Some((&beside, &best)), Goal::AtMost(1.1));
    }

    /// A changed token costs a request, and so a delay, whatever is done. The plain stream has had its own.
    fn ideal(&self, system: &System) -> Vec<f64> {
        let delay = self.habits.delay as f64 / 1e3;
        let pairs = self.plain.iter().zip(&system.answers);
        pairs
            .map(|(plain, answer)| plain + answer.report.changed as f64 * delay)
            .collect()
    }

    fn row(&self, what: &str, measured: &[f64], beside: Option<(&str, &[f64])>, goal: Goal) {
        let Habits { pace, delay, .. } = self.habits;
        let answers = self.systems.iter().flat_map(|system| &system.answers);
        let changed: Vec<f64> = answers.map(Answer::changed).collect();
        let changed = median(&changed);
        Row {
            what: format!("{TOKENS} tokens, pace {pace} ms, delay {delay} ms, {changed:.0} % changed: {what}"),
            unit: "s",
            measured,
            beside: beside.map(|(name, values)| (name.to_owned(), values)),
            goal,
        }
        .print();
    }
}
