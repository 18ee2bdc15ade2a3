//! The same tokens as a slow, plain reference: the paper's update step by step in f64, both models in one process, in
//! another framework (`tests/parity/reference.py`, whose outputs lie beside it).

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use costeer::context::PrivateContext;
use costeer::http::chat_request;
use costeer::service::Service;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{proxy, run, upstream};

#[derive(Deserialize)]
pub struct Prompt {
    id: Value,
    pub messages: Value,
    pub context: String,
}

#[derive(Deserialize)]
struct Reference {
    id: Value,
    tokens: Vec<u32>,
    llm_argmax_and_margin: Vec<(u32, f64)>,
}

/// Positions whose two best scores are closer than this may differ by rounding.
const MARGIN: f64 = 1e-3;

fn lines<T: for<'de> Deserialize<'de>>(name: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The tokens picked for a prompt.
pub async fn tokens(proxy: &Arc<Service>, prompt: &Prompt) -> Vec<u32> {
    let body = json!({"messages": prompt.messages, "temperature": 0, "max_tokens": 128});
    let request = chat_request(body.as_object().unwrap()).ok().unwrap();
    let context = PrivateContext::new(prompt.context.clone());
    let mut session = proxy.open_session(&request, &context).await.unwrap();
    let mut tokens = Vec::new();
    while let Some(event) = session.next().await.unwrap() {
        tokens.push(event.picked.token.0);
    }
    tokens
}

/// The prompts of the references.
pub fn prompts() -> Vec<Prompt> {
    lines("prompts.jsonl")
}

/// Where an answer leaves the reference.
#[derive(Debug)]
pub struct Parting {
    /// Of the prompt.
    id: Value,
    /// The first position that differs, counted from 0.
    at: usize,
    /// How far apart the two best scores of the reference are there.
    pub margin: f64,
}

/// Compares the answers to the first `count` prompts with the reference. Gives the positions compared, and where answers leave it.
pub async fn partings(proxy: &Arc<Service>, file: &str, count: usize) -> (usize, Vec<Parting>) {
    let (prompts, references): (Vec<Prompt>, Vec<Reference>) = (prompts(), lines(file));
    assert!(prompts.len() >= count && prompts.len() == references.len());
    let (mut positions, mut partings) = (0, Vec::new());
    for (prompt, reference) in prompts.iter().zip(references).take(count) {
        assert_eq!(prompt.id, reference.id);
        let ours = tokens(proxy, prompt).await;
        let same = ours
            .iter()
            .zip(&reference.tokens)
            .take_while(|(ours, theirs)| ours == theirs)
            .count();
        positions += reference.tokens.len();
        if same < ours.len().max(reference.tokens.len()) {
            let (_, margin) = *reference.llm_argmax_and_margin.get(same).unwrap_or(&(0, f64::INFINITY));
            let id = reference.id;
            partings.push(Parting { id, at: same, margin });
        }
    }
    (positions, partings)
}

/// The same. Gives how many answers differ where the two best scores are closer than `margin`; any other difference fails.
pub async fn differences(proxy: &Arc<Service>, file: &str, count: usize, margin_of_rounding: f64) -> (usize, usize) {
    let (positions, partings) = partings(proxy, file, count).await;
    for Parting { id, at, margin } in &partings {
        assert!(
            *margin < margin_of_rounding,
            "prompt {id} differs at {at}, where the margin is {margin}"
        );
    }
    let by_rounding = partings.len();
    eprintln!("{file}: {count} prompts, {positions} positions, {by_rounding} answers differ by rounding");
    (positions, by_rounding)
}

/// The references are steered by the paper's numbers.
pub const PAPER: (&str, &str) = ("steering.preset", "paper");

/// As many prompts as the plain run compares; the references have 60.
const FEW: usize = 12;

async fn compare(placement: &str, top_k: &str, file: &str, count: usize) {
    let address: SocketAddr = upstream().await;
    let settings = [
        ("context.placement", placement.to_owned()),
        ("upstream.top_k", top_k.to_owned()),
        (PAPER.0, PAPER.1.to_owned()),
    ];
    let settings: Vec<(&'static str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let (proxy, _): (Arc<Service>, _) = proxy(address, &settings).await;
    let (_, by_rounding) = differences(&proxy, file, count, MARGIN).await;
    assert!(by_rounding <= 2);
}

#[test]
fn with_the_context_in_the_system_message_and_twenty_candidates() {
    run(compare("system", "20", "system-20.jsonl", FEW));
}

#[test]
fn with_the_context_before_the_question_and_twenty_candidates() {
    run(compare("user", "20", "user-20.jsonl", FEW));
}

#[test]
fn with_the_context_in_the_system_message_and_the_full_vocabulary() {
    run(compare("system", "1000000", "system-full.jsonl", FEW));
}

#[test]
fn with_the_context_before_the_question_and_the_full_vocabulary() {
    run(compare("user", "1000000", "user-full.jsonl", FEW));
}

#[test]
#[ignore = "long proof: all 60 prompts in four settings; the plain run compares 12"]
fn with_all_prompts() {
    run(async {
        compare("system", "20", "system-20.jsonl", 60).await;
        compare("user", "20", "user-20.jsonl", 60).await;
        compare("system", "1000000", "system-full.jsonl", 60).await;
        compare("user", "1000000", "user-full.jsonl", 60).await;
    });
}
