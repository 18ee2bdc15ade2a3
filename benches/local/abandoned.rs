//! Whether clients that leave in the middle of an answer leave memory behind.

use crate::models::Model;
use crate::program::Program;
use crate::stage::Question;
use crate::table::{Goal, Row};
use crate::texts::Texts;
use crate::upstream::{Habits, PacedUpstream};

const SESSIONS: usize = 200;

/// After so many, everything that is kept once is there.
const WARM_UP: usize = 40;

const WORDS: usize = 100;

pub async fn measure(model: &Model, texts: &Texts) {
    let upstream = PacedUpstream::start(Habits {
        pace: 5,
        near: 40,
        ..Habits::default()
    })
    .await;
    let program = Program::start(model, &upstream, &[("local.slots", "2")]).await;
    for number in 0..WARM_UP {
        leave(&program, texts, number).await;
    }
    let before = program.resident();
    for number in 0..SESSIONS {
        leave(&program, texts, WARM_UP + number).await;
    }
    Row {
        what: format!("resident after {SESSIONS} abandoned sessions"),
        unit: "MB",
        measured: &[program.resident()],
        beside: Some(("before them".to_owned(), &[before])),
        goal: Goal::AtMost(1.02),
    }
    .print();
}

/// Asks, reads the beginning, and goes.
async fn leave(program: &Program, texts: &Texts, number: usize) {
    let question = Question::new(texts.question(number), texts.context(number, WORDS), 400);
    let mut answer = program.open(&question).await;
    assert!(answer.chunk().await.unwrap().is_some());
}
