//! Several sessions at once: how much more they write than one, how evenly, and whether a long prompt stalls them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use costeer::service::Service;
use futures::future::join_all;
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

use crate::REPEATS;
use crate::models::Model;
use crate::stage::{Question, service};
use crate::table::{Goal, Row};
use crate::texts::Texts;
use crate::upstream::{Habits, PacedUpstream};

/// How long tokens are counted.
const STRETCH: Duration = Duration::from_secs(4);

/// More tokens than a session writes in that time.
const TOKENS: usize = 4000;

/// Words of each session's context.
const WORDS: usize = 100;

/// Words of the prompt that arrives later: about 2,000 tokens.
const NEWCOMER: usize = 1500;

/// The longest that it may keep a running session waiting, in milliseconds.
const STALL: f64 = 300.0;

pub async fn measure(model: &Model, texts: &Texts) {
    let upstream = PacedUpstream::start(Habits {
        near: 40,
        ..Habits::default()
    })
    .await;
    let service = service(model, &upstream, &[("local.slots", "4")]).await;
    let question = |number: usize, words| Question::new(texts.question(number), texts.context(number, words), TOKENS);
    let (mut one, mut four, mut least, mut most, mut gaps) = Default::default();
    let rows: [&mut Vec<f64>; 5] = [&mut one, &mut four, &mut least, &mut most, &mut gaps];
    let [one, four, least, most, gaps] = rows;
    let mut tokens = 0;
    for number in 0..REPEATS {
        one.push(speeds(&service, &[question(number, WORDS)]).await[0]);
        let four_of_them: Vec<Question> = (0..4).map(|session| question(4 * number + session, WORDS)).collect();
        let speeds = speeds(&service, &four_of_them).await;
        let total: f64 = speeds.iter().sum();
        four.push(total);
        least.push(4.0 * speeds.iter().copied().fold(f64::MAX, f64::min) / total);
        most.push(4.0 * speeds.iter().copied().fold(0.0, f64::max) / total);
        let newcomer = question(REPEATS + number, NEWCOMER);
        tokens = newcomer.prompts(&service).private.len();
        gaps.push(stall(&service, &four_of_them[..3], &newcomer).await);
    }
    let row = |what: String, unit, measured: &[f64], beside: Option<(&str, &[f64])>, goal| {
        Row {
            what,
            unit,
            measured,
            beside: beside.map(|(name, values)| (name.to_owned(), values)),
            goal,
        }
        .print();
    };
    row(
        "four sessions together".to_owned(),
        "tokens/s",
        four,
        Some(("one session", one)),
        Goal::AtLeast(1.3),
    );
    let share = Some(("a fair share", &[1.0][..]));
    row(
        "the slowest of the four".to_owned(),
        "shares",
        least,
        share,
        Goal::AtLeast(0.8),
    );
    row(
        "the fastest of the four".to_owned(),
        "shares",
        most,
        share,
        Goal::AtMost(1.2),
    );
    row(
        format!("longest wait of three sessions while a prompt of {tokens} tokens arrives"),
        "ms",
        gaps,
        Some(("at most", &[STALL])),
        Goal::AtMost(1.0),
    );
}

/// Sessions that all have their first token before any writes on, and that stop when they are told to.
struct Running {
    stop: Arc<AtomicBool>,
    sessions: Vec<JoinHandle<Vec<Instant>>>,
}

impl Running {
    async fn start(service: &Arc<Service>, questions: &[Question]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let ready = Arc::new(Barrier::new(questions.len() + 1));
        let sessions = questions.iter().map(|question| {
            let (service, question) = (Arc::clone(service), question.clone());
            let (stop, ready) = (Arc::clone(&stop), Arc::clone(&ready));
            tokio::spawn(async move {
                let mut session = question.open(&service).await;
                assert!(session.next().await.unwrap().is_some());
                ready.wait().await;
                let mut times = Vec::new();
                while !stop.load(Ordering::Relaxed) && session.next().await.unwrap().is_some() {
                    times.push(Instant::now());
                }
                times
            })
        });
        let sessions = sessions.collect();
        ready.wait().await;
        Self { stop, sessions }
    }

    /// When each session's tokens came.
    async fn stop(self) -> Vec<Vec<Instant>> {
        self.stop.store(true, Ordering::Relaxed);
        join_all(self.sessions).await.into_iter().map(Result::unwrap).collect()
    }
}

/// Tokens a second of each session.
async fn speeds(service: &Arc<Service>, questions: &[Question]) -> Vec<f64> {
    let running = Running::start(service, questions).await;
    let until = Instant::now() + STRETCH;
    tokio::time::sleep_until(until.into()).await;
    let times = running.stop().await;
    let counts = times
        .iter()
        .map(|times| times.iter().filter(|time| **time <= until).count());
    counts.map(|count| count as f64 / STRETCH.as_secs_f64()).collect()
}

/// The longest time between two tokens of a running session, in milliseconds, from the newcomer's arrival until its first token.
async fn stall(service: &Arc<Service>, questions: &[Question], newcomer: &Question) -> f64 {
    let running = Running::start(service, questions).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let arrived = Instant::now();
    newcomer.first_token(service).await;
    let answered = Instant::now();
    // The tokens that were held up by it come afterwards.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let times = running.stop().await;
    let gaps = times.iter().flat_map(|times| times.windows(2));
    gaps.filter(|gap| gap[1] > arrived && gap[0] < answered)
        .map(|gap| 1e3 * (gap[1] - gap[0]).as_secs_f64())
        .fold(0.0, f64::max)
}
