//! What a token takes when the upstream answers at once, so that all the time is spent here.

use crate::REPEATS;
use crate::crate_alone::CrateAlone;
use crate::models::Model;
use crate::server_alone::ServerAlone;
use crate::stage::{Answer, LONG, Question, service};
use crate::table::{Goal, Row, median};
use crate::texts::Texts;
use crate::upstream::{Habits, PacedUpstream};

const TOKENS: usize = 128;

/// Near positions in a hundred, and the most that a token may take beside a step of the crate and beside the small model alone.
const SHARES: [(u64, f64, f64); 2] = [(34, 0.75, 1.4), (9, 0.6, 1.1)];

pub async fn measure(model: &Model, texts: &Texts) {
    let server = ServerAlone::start(model).await;
    let mut systems = Vec::new();
    for (near, ..) in SHARES {
        let upstream = PacedUpstream::start(Habits {
            near,
            ..Habits::default()
        })
        .await;
        let service = service(model, &upstream, &[]).await;
        systems.push((upstream, service));
    }
    let question = Question::new(texts.question(0), texts.context(0, LONG), TOKENS);
    let prompts = question.prompts(&systems[0].1);
    let (mut steps, mut alone) = (Vec::new(), Vec::new());
    let mut answers: [Vec<Answer>; SHARES.len()] = Default::default();
    for _ in 0..REPEATS {
        steps.push(CrateAlone::measure(&model.gguf, &prompts, TOKENS).step);
        alone.push(server.each(&prompts.private, TOKENS).await);
        for ((_, service), answers) in systems.iter().zip(&mut answers) {
            answers.push(question.answer_and_read(service).await);
        }
    }
    for ((_, of_step, of_alone), answers) in SHARES.into_iter().zip(&answers) {
        let each: Vec<f64> = answers.iter().map(Answer::each).collect();
        let changed: Vec<f64> = answers.iter().map(Answer::changed).collect();
        let row = |beside: &str, reference: &[f64], most: f64| {
            Row {
                what: format!(
                    "a token, upstream answers at once, {:.0} % changed, {LONG} words",
                    median(&changed)
                ),
                unit: "ms",
                measured: &each,
                beside: Some((beside.to_owned(), reference)),
                goal: Goal::AtMost(most),
            }
            .print();
        };
        row("a step of both branches by the crate alone", &steps, of_step);
        row("a token of the small model alone", &alone, of_alone);
    }
}
