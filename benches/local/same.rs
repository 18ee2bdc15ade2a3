//! Whether answers depend on how they are computed: block, lookahead, and what else is running.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use costeer::decode::Session;
use costeer::service::Service;
use costeer::vocabulary::TokenId;

use crate::models::Model;
use crate::stage::{Question, service};
use crate::texts::Texts;
use crate::upstream::{Habits, PacedUpstream};

const PROMPTS: usize = 200;
const TOKENS: usize = 12;
const WORDS: usize = 20;

/// How the same answers are computed, by settings; the last one while three other sessions run.
const WAYS: [(&str, &[(&str, &str)]); 7] = [
    ("lookahead 1", &[("upstream.lookahead", "1")]),
    ("lookahead 4", &[("upstream.lookahead", "4")]),
    ("lookahead 16", &[("upstream.lookahead", "16")]),
    ("adaptive, nothing remembered", &[("local.cache_mb", "0")]),
    ("adaptive, blocks up to 3", &[("local.block", "3")]),
    ("adaptive, pieces of 128", &[("local.batch", "128")]),
    (BESIDE_OTHERS, &[("local.slots", "4")]),
];
const BESIDE_OTHERS: &str = "adaptive, three others running";

pub async fn measure(model: &Model, texts: &Texts) {
    let upstream = PacedUpstream::start(Habits {
        near: 40,
        ..Habits::default()
    })
    .await;
    let reference = service(model, &upstream, &[("upstream.lookahead", "8"), ("local.block", "1")]).await;
    let expected = answers(&reference, texts).await;
    drop(reference);
    println!();
    for (way, settings) in WAYS {
        let service = service(model, &upstream, settings).await;
        let others = (way == BESIDE_OTHERS).then(|| Others::start(&service, texts));
        let same = answers(&service, texts)
            .await
            .iter()
            .zip(&expected)
            .filter(|(ours, theirs)| ours == theirs)
            .count();
        if let Some(others) = others {
            others.stop().await;
        }
        println!("{way}: {same} of {PROMPTS} answers as one position at a time gives them");
    }
}

/// Every second one greedy, the others drawn.
async fn answers(service: &Service, texts: &Texts) -> Vec<Vec<TokenId>> {
    let mut answers = Vec::new();
    for number in 0..PROMPTS {
        let mut session = question(texts, number).open(service).await;
        answers.push(rest(&mut session).await);
    }
    answers
}

fn question(texts: &Texts, number: usize) -> Question {
    let question = Question::new(texts.question(number), texts.context(number, WORDS), TOKENS);
    if number.is_multiple_of(2) {
        question
    } else {
        question.drawn(number as u64)
    }
}

async fn rest(session: &mut Session) -> Vec<TokenId> {
    let mut tokens = Vec::new();
    while let Some(event) = session.next().await.unwrap() {
        tokens.push(event.picked.token);
    }
    tokens
}

/// Sessions that are there only to be in the way.
struct Others {
    stop: Arc<AtomicBool>,
    running: Vec<tokio::task::JoinHandle<()>>,
}

impl Others {
    fn start(service: &Arc<Service>, texts: &Texts) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let running = (0..3).map(|number| {
            let (stop, service) = (Arc::clone(&stop), Arc::clone(service));
            let questions: Vec<Question> = (0..40).map(|turn| question(texts, 500 + 3 * turn + number)).collect();
            tokio::spawn(async move {
                for question in questions.iter().cycle() {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    rest(&mut question.open(&service).await).await;
                }
            })
        });
        Self {
            running: running.collect(),
            stop,
        }
    }

    async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for running in self.running {
            running.await.unwrap();
        }
    }
}
