//! How long the first token takes with a long context: with nothing remembered, with a new question, and in a chat's second turn.

use crate::REPEATS;
use crate::crate_alone::CrateAlone;
use crate::models::Model;
use crate::stage::{LONG, Question, read, service};
use crate::table::{Goal, Row};
use crate::texts::Texts;
use crate::upstream::{Habits, PacedUpstream};

/// Tokens of the first turn's answer.
const ANSWER: usize = 64;

pub async fn measure(model: &Model, texts: &Texts) {
    let upstream = PacedUpstream::start(Habits::default()).await;
    let service = service(model, &upstream, &[]).await;
    // What is slow once is none of the rows' business.
    let warm_up = Question::new("Hello?", "I am Ada.".to_owned(), 8);
    warm_up.first_token(&service).await;
    let (mut alone, mut cold, mut new, mut second) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for number in 0..REPEATS {
        let about = |question| Question::new(texts.question(question), texts.context(number, LONG), 8);
        let first = about(number);
        alone.push(CrateAlone::measure(&model.gguf, &first.prompts(&service), 1).prompts);
        cold.push(1e3 * first.first_token(&service).await);
        new.push(1e3 * about(number + REPEATS).first_token(&service).await);
        let chat = Question::new(texts.question(number), texts.context(number, LONG), ANSWER);
        let answer = chat.answer_and_read(&service).await.text;
        let turn = chat.after(&answer, texts.question(number + 2 * REPEATS));
        second.push(1e3 * turn.first_token(&service).await);
        read().await;
    }
    let row = |what: &str, measured: &[f64], beside: &str, reference: &[f64], most: f64| {
        Row {
            what: format!("first token, {LONG} words, {what}"),
            unit: "ms",
            measured,
            beside: Some((beside.to_owned(), reference)),
            goal: Goal::AtMost(most),
        }
        .print();
    };
    row("cold", &cold, "both prompts by the crate alone", &alone, 1.25);
    row("the same context and a new question", &new, "cold", &cold, 0.2);
    row("second turn of the chat", &second, "cold", &cold, 0.2);
}
