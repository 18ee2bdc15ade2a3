use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::time::Duration;

use proptest::prelude::*;

use super::double::{Counts, Double, logits};
use super::{Bounds, Kind, RunLength, Shape, Worker, WorkerModel};
use crate::local::{BranchPair, LocalModel, Owner, SlotLimits};
use crate::vocabulary::TokenId;

const SHAPE: Shape = Shape {
    sequences: 11,
    length: 400,
    batch: 32,
    least: RunLength { prompt: 8, answer: 2 },
    most_answer: 7,
    rolls_back: true,
    token_bytes: 1,
};
const SLOTS: usize = 3;
const POISON: TokenId = TokenId(666);

/// A model of doubles, in a thread of its own.
fn model(shape: Shape, cache: usize) -> Arc<dyn LocalModel> {
    counted(shape, cache).0
}

/// The same, and what it counts.
fn counted(shape: Shape, cache: usize) -> (Arc<dyn LocalModel>, Counts) {
    let (commands, received) = channel();
    let mut backend = Double::new(shape);
    backend.poison = Some(POISON);
    let counts = backend.counts.clone();
    std::thread::spawn(move || {
        Worker::new(&mut backend, cache).run(&received);
    });
    let limits = SlotLimits {
        slots: SLOTS,
        queue: 8,
        queue_timeout: Duration::from_secs(10),
    };
    let bounds = Bounds {
        limits,
        window: shape.length,
        max_block: 8,
    };
    (Arc::new(WorkerModel::new(commands, bounds, "a double".into())), counts)
}

/// What a session does next.
#[derive(Clone, Debug)]
enum Move {
    /// Appends so many tokens and looks at the logits after the last ones.
    Look(usize, usize),
    /// The same, and does not wait for them.
    LookAway(usize, usize),
    /// Goes back by so many.
    Back(usize),
    /// Begins again on the same slot, with the same prompts.
    Again,
}

#[derive(Clone, Debug)]
struct Script {
    owner: u8,
    /// Which of a few texts the prompts begin with, how much of it, and what comes after.
    text: usize,
    lengths: (usize, usize),
    tail: u32,
    moves: Vec<Move>,
}

fn script() -> impl Strategy<Value = Script> {
    let one = prop_oneof![
        4 => (1usize..12, 1usize..12).prop_map(|(tokens, rows)| Move::Look(tokens, rows.min(tokens))),
        1 => (1usize..6, 1usize..6).prop_map(|(tokens, rows)| Move::LookAway(tokens, rows.min(tokens))),
        2 => (1usize..9).prop_map(Move::Back),
        1 => Just(Move::Again),
    ];
    let moves = prop::collection::vec(one, 1..8);
    (0u8..2, 0usize..3, (1usize..20, 1usize..90), 0u32..4, moves).prop_map(|(owner, text, lengths, tail, moves)| {
        Script {
            owner,
            text,
            lengths,
            tail,
            moves,
        }
    })
}

fn prompt(script: &Script, length: usize) -> Vec<TokenId> {
    let begin = (0..length).map(|index| TokenId((index * (script.text + 3) % 251) as u32));
    begin.chain([TokenId(1000 + script.tail)]).collect()
}

/// Plays the script and compares every row with what a session by itself would get.
async fn play(model: &dyn LocalModel, script: Script) {
    let prompts = [prompt(&script, script.lengths.0), prompt(&script, script.lengths.1)];
    let slot = model.slot(Owner::of(&[script.owner])).await.unwrap();
    let mut pair = Arc::clone(&slot).open(&prompts[0], &prompts[1]).await.unwrap();
    let mut answer: Vec<TokenId> = Vec::new();
    look(&mut *pair, &prompts, &mut answer, &[], 1).await;
    for (count, step) in script.moves.iter().enumerate() {
        let token = |index: usize| TokenId((count * 31 + index * 7 + usize::from(script.owner)) as u32 % 97);
        match step {
            Move::Look(tokens, rows) => {
                let tokens: Vec<TokenId> = (0..*tokens).map(token).collect();
                look(&mut *pair, &prompts, &mut answer, &tokens, *rows).await;
            }
            Move::LookAway(tokens, rows) => {
                let tokens: Vec<TokenId> = (0..*tokens).map(token).collect();
                pair.extend(&tokens, *rows);
                answer.extend(tokens);
            }
            Move::Back(by) => {
                answer.truncate(answer.len().saturating_sub(*by));
                pair.truncate(answer.len());
                look(&mut *pair, &prompts, &mut answer, &[TokenId(96)], 1).await;
            }
            Move::Again => {
                drop(pair);
                pair = Arc::clone(&slot).open(&prompts[0], &prompts[1]).await.unwrap();
                answer.clear();
                look(&mut *pair, &prompts, &mut answer, &[TokenId(5)], 2).await;
            }
        }
    }
}

async fn look(
    pair: &mut dyn BranchPair,
    prompts: &[Vec<TokenId>; 2],
    answer: &mut Vec<TokenId>,
    tokens: &[TokenId],
    rows: usize,
) {
    pair.extend(tokens, rows);
    answer.extend(tokens);
    let mut positions = Vec::new();
    while positions.len() < rows {
        positions.extend(pair.logits().await.unwrap().positions);
    }
    assert_eq!(positions.len(), rows);
    for (index, said) in positions.into_iter().enumerate() {
        let before = answer.len() + 1 + index - rows;
        let expected = |prompt: &[TokenId]| {
            let (last, others) = prompt.split_last().unwrap();
            let prompt = others.iter().map(|token| (*token, Kind::Prompt));
            let answer = [last].into_iter().chain(&answer[..before]);
            logits(
                &prompt
                    .chain(answer.map(|token| (*token, Kind::Answer)))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(said.public, expected(&prompts[0]));
        assert_eq!(said.private, expected(&prompts[1]));
    }
}

fn run<F: Future<Output = ()>>(future: F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(20), future)
            .await
            .expect("it stands still");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    /// Whatever others do, whatever is remembered, whoever it is: every row is the one of a session by itself.
    #[test]
    fn sessions_see_nothing_of_each_other(
        scripts in prop::collection::vec(script(), 1..9),
        cache in prop::sample::select(vec![0usize, 100, 300, 100_000]),
        rolls_back in prop::bool::weighted(0.8),
        pauses in prop::bool::weighted(0.1),
    ) {
        let shape = Shape { rolls_back, least: if rolls_back { SHAPE.least } else { RunLength { prompt: 1, answer: 1 } }, ..SHAPE };
        let scripts: Vec<Script> = if rolls_back { scripts } else { scripts.into_iter().map(forward_only).collect() };
        run(async move {
            let model = model(shape, cache);
            for _ in 0..if pauses { 2 } else { 1 } {
                let sessions = scripts.iter().map(|script| play(&*model, script.clone()));
                futures::future::join_all(sessions).await;
                if pauses {
                    // Long enough for what is done while nobody waits.
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        });
    }
}

fn forward_only(mut script: Script) -> Script {
    script.moves.retain(|step| !matches!(step, Move::Back(_)));
    script
}

#[test]
fn an_engine_that_fails_fails_one_session_only() {
    run(async {
        let model = model(SHAPE, 0);
        let prompt: Vec<TokenId> = (0..40).map(TokenId).collect();
        let mut pairs = Vec::new();
        for _ in 0..3 {
            let slot = model.slot(Owner::default()).await.unwrap();
            pairs.push(slot.open(&prompt, &prompt).await.unwrap());
        }
        for (index, pair) in pairs.iter_mut().enumerate() {
            pair.extend(&[if index == 1 { POISON } else { TokenId(3) }], 1);
        }
        for (index, pair) in pairs.iter_mut().enumerate() {
            let outcome = pair.logits().await;
            assert_eq!(outcome.is_err(), index == 1);
        }
        pairs[0].extend(&[TokenId(4)], 1);
        pairs[0].logits().await.unwrap();
        pairs[1].extend(&[TokenId(4)], 1);
        assert!(pairs[1].logits().await.err().unwrap().to_string().contains("poisoned"));
        drop(pairs);
        let slot = model.slot(Owner::default()).await.unwrap();
        let mut pair = slot.open(&prompt, &prompt).await.unwrap();
        look(&mut *pair, &[prompt.clone(), prompt], &mut Vec::new(), &[TokenId(9)], 2).await;
    });
}

#[test]
fn an_answer_is_made_ready_for_the_next_turn_while_nobody_waits() {
    run(async {
        let (model, counts) = counted(SHAPE, 100_000);
        let mut prompts = [6, 61].map(|length| (100..100 + length).map(TokenId).collect::<Vec<_>>());
        let answer: Vec<TokenId> = (0..30).map(TokenId).collect();
        let slot = model.slot(Owner::default()).await.unwrap();
        let mut pair = slot.open(&prompts[0], &prompts[1]).await.unwrap();
        look(&mut *pair, &prompts, &mut Vec::new(), &answer, 30).await;
        drop(pair);
        tokio::time::sleep(Duration::from_secs(1)).await;
        for prompt in &mut prompts {
            prompt.extend(answer.iter().chain(&[TokenId(7), TokenId(8)]));
        }
        let before = counts.computed.load(Ordering::Relaxed);
        let slot = model.slot(Owner::default()).await.unwrap();
        let mut pair = slot.open(&prompts[0], &prompts[1]).await.unwrap();
        look(&mut *pair, &prompts, &mut Vec::new(), &[], 1).await;
        // The rest of both prompts and one position after them, each filled up.
        let least = SHAPE.least.prompt + SHAPE.least.answer;
        assert_eq!(counts.computed.load(Ordering::Relaxed) - before, 2 * least);
    });
}

#[test]
fn sessions_side_by_side_share_a_prompt_that_one_of_them_has_computed() {
    run(async {
        let (model, counts) = counted(SHAPE, 100_000);
        let prompts = [150, 160].map(|length| (100..100 + length).map(TokenId).collect::<Vec<_>>());
        let (mut pairs, mut before) = (Vec::new(), 0);
        for index in 0..SLOTS {
            let slot = model.free_slot(Owner::default()).unwrap();
            let mut pair = slot.open(&prompts[0], &prompts[1]).await.unwrap();
            look(&mut *pair, &prompts, &mut Vec::new(), &[], 1).await;
            let after = counts.computed.load(Ordering::Relaxed);
            // One position of each branch, filled up, is all that is new.
            assert!(
                index == 0 || after - before == 2 * SHAPE.least.answer,
                "{}",
                after - before
            );
            before = after;
            pairs.push(pair);
        }
        assert!(model.free_slot(Owner::default()).is_none());
        for (index, pair) in pairs.iter_mut().enumerate() {
            let tokens = [TokenId(index as u32), TokenId(7)];
            look(&mut **pair, &prompts, &mut Vec::new(), &tokens, 2).await;
        }
        drop(pairs);
        let others = model.slot(Owner::of(b"somebody else")).await.unwrap();
        let mut pair = others.open(&prompts[0], &prompts[1]).await.unwrap();
        look(&mut *pair, &prompts, &mut Vec::new(), &[], 1).await;
        assert!(counts.computed.load(Ordering::Relaxed) - before > 300);
    });
}

#[test]
fn sessions_side_by_side_are_neighbours_wherever_their_prompts_are_remembered() {
    run(async {
        let (model, counts) = counted(SHAPE, 100_000);
        let prompts =
            |chat: u32| [130, 140].map(|length| (1000 * chat..1000 * chat + length).map(TokenId).collect::<Vec<_>>());
        let open = async |chat| {
            let slot = model.slot(Owner::default()).await.unwrap();
            slot.open(&prompts(chat)[0], &prompts(chat)[1]).await.unwrap()
        };
        for chat in 0..5 {
            look(&mut *open(chat).await, &prompts(chat), &mut Vec::new(), &[], 1).await;
        }
        let before = counts.computed.load(Ordering::Relaxed);
        let mut pairs = [open(0).await, open(2).await, open(4).await];
        let (mut answer, rounds) = (Vec::new(), 20);
        for _ in 0..rounds {
            answer.push(TokenId(7));
            for pair in &mut pairs {
                pair.extend(&[TokenId(7)], 1);
            }
            for pair in &mut pairs {
                pair.logits().await.unwrap();
            }
        }
        assert_eq!(counts.apart.load(Ordering::Relaxed), 0);
        // No prompt once more. The first token comes with the prompt's last.
        let each = 2 * SHAPE.least.answer;
        assert!(counts.computed.load(Ordering::Relaxed) - before <= 3 * each * rounds);
        for (chat, pair) in [0, 2, 4].into_iter().zip(&mut pairs) {
            look(&mut **pair, &prompts(chat), &mut answer.clone(), &[TokenId(8)], 1).await;
        }
    });
}

#[test]
fn what_is_computed_in_parts_is_handed_over_in_parts() {
    run(async {
        let model = model(SHAPE, 0);
        let slot = model.slot(Owner::default()).await.unwrap();
        let mut pair = slot.open(&[TokenId(1)], &[TokenId(2)]).await.unwrap();
        pair.extend(&[TokenId(3); 15], 15);
        let mut parts = Vec::new();
        while parts.iter().sum::<usize>() < 15 {
            parts.push(pair.logits().await.unwrap().positions.len());
        }
        // The prompt's last token comes first.
        assert_eq!(parts, [6, 7, 2]);
    });
}

#[test]
fn an_answer_longer_than_the_window_is_an_error() {
    run(async {
        let model = model(SHAPE, 0);
        let slot = model.slot(Owner::default()).await.unwrap();
        let mut pair = slot.open(&[TokenId(1)], &[TokenId(1); 390]).await.unwrap();
        pair.extend(&[TokenId(2); 20], 1);
        let error = pair.logits().await.err().unwrap();
        assert!(error.to_string().contains("holds 400 tokens"), "{error}");
    });
}
