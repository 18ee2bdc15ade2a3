//! What the program keeps in memory, with no session and with up to eight.

use crate::REPEATS;
use crate::models::Model;
use crate::program::Program;
use crate::stage::{LONG, Question};
use crate::table::{Goal, Row};
use crate::texts::Texts;
use crate::upstream::{Habits, PacedUpstream};

const SESSIONS: [usize; 5] = [0, 1, 2, 4, 8];

const TOKENS: usize = 500;

pub async fn measure(model: &Model, texts: &Texts) {
    // Slow enough that no session ends before the last has begun.
    let upstream = PacedUpstream::start(Habits {
        pace: 1000,
        ..Habits::default()
    })
    .await;
    let question = |number: usize| Question::new(texts.question(number), texts.context(number, LONG), TOKENS);
    let mut resident: [Vec<f64>; SESSIONS.len()] = Default::default();
    for _ in 0..REPEATS {
        let program = Program::start(
            model,
            &upstream,
            &[("local.slots", "8"), ("local.window", "2048"), ("local.cache_mb", "0")],
        )
        .await;
        let mut open = Vec::new();
        for (sessions, resident) in SESSIONS.into_iter().zip(&mut resident) {
            while open.len() < sessions {
                open.push(program.open(&question(open.len())).await);
            }
            resident.push(program.resident());
        }
    }
    // Two sequences a slot and an empty one, with room for what fills up a pass, in steps of 256 tokens.
    let keys_and_values = model.cache_megabytes(17 * 2304);
    let room = 1.5 * model.megabytes() + keys_and_values;
    for (sessions, resident) in SESSIONS.into_iter().zip(&resident) {
        Row {
            what: format!("resident, {sessions} sessions with {LONG} words"),
            unit: "MB",
            measured: resident,
            beside: Some((
                format!("1.5 × the file, and {keys_and_values:.0} of keys and values for 8 slots"),
                &[room],
            )),
            goal: Goal::AtMost(1.0),
        }
        .print();
    }
    let [_, one, .., eight] = &resident;
    let grown: Vec<f64> = one.iter().zip(eight).map(|(one, eight)| eight - one).collect();
    Row {
        what: "what seven more sessions add: their keys and values have their place already".to_owned(),
        unit: "MB",
        measured: &grown,
        beside: None,
        goal: Goal::None,
    }
    .print();
}
