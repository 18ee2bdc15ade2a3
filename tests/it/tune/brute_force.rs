//! The curve of `costeer tune` against the divergence as the textbook has it: over the whole vocabulary, one position after the other,
//! with the raw logits of the small model and the whole lists of the server.

use std::collections::HashMap;
use std::net::SocketAddr;

use costeer::context::{Chat, PrivateContext, PublicPrompt, Sources};
use costeer::service::Service;
use costeer::tune::{Question, SHIPPED, read};
use costeer::upstream::Caller;
use costeer::vocabulary::{ChatMessage, Role, TokenId};
use serde_json::{Value, json};

use super::{Setting, small_upstream};
use crate::support::{Change, Folder, between, post, proxy, run};
use std::time::Duration;

const QUESTIONS: usize = 3;
const TOKENS: usize = 10;
const VOCABULARY: usize = 3456;

/// ln p of every token right behind these ids, as the server says it.
async fn distribution(upstream: SocketAddr, ids: &[TokenId]) -> Vec<f64> {
    let ids: Vec<u32> = ids.iter().map(|id| id.0).collect();
    let body = json!({
        "prompt": ids, "max_tokens": 1, "temperature": 0, "logprobs": -1, "return_tokens_as_token_ids": true,
    });
    let answer: Value = post(upstream, "/v1/completions", body.to_string(), &[])
        .await
        .json()
        .await
        .unwrap();
    let listed: HashMap<String, f64> =
        serde_json::from_value(answer["choices"][0]["logprobs"]["top_logprobs"][0].clone()).unwrap();
    assert_eq!(listed.len(), VOCABULARY);
    (0..VOCABULARY).map(|id| listed[&format!("token_id:{id}")]).collect()
}

fn log_softmax(scores: &[f64]) -> Vec<f64> {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total = scores.iter().map(|score| (score - largest).exp()).sum::<f64>().ln() + largest;
    scores.iter().map(|score| score - total).collect()
}

/// p and q of the upstream, and Δ, at each position of the upstream's answer to the question.
async fn positions(service: &Service, upstream: SocketAddr, question: &Question) -> Vec<[Vec<f64>; 3]> {
    let chat = Chat::new([ChatMessage::new(Role::User, question.question.clone())]);
    let prompts = service.prompts();
    let mut plain = prompts.unthinking(&chat).unwrap().ids;
    let shown = prompts.openly(&chat, &question.context).ok().unwrap();
    let mut shown = prompts.unthinking(&shown).unwrap().ids;
    let sources = Sources::from(PrivateContext::new(question.context.clone()));
    let composed = prompts
        .compose(&PublicPrompt::Chat(chat), &sources, Some(TOKENS))
        .ok()
        .unwrap();
    let slot = service.slot(&Caller::default()).await.unwrap();
    let mut pair = slot.open(&composed.public, composed.private.ids()).await.unwrap();
    let ends = prompts.alignment().upstream().ends();
    let mut positions = Vec::new();
    let mut last = Vec::new();
    while positions.len() < TOKENS {
        let (p, q) = (
            distribution(upstream, &shown).await,
            distribution(upstream, &plain).await,
        );
        pair.extend(&last, 1);
        let row = pair.logits().await.unwrap().positions.remove(0);
        let [private, public] = [row.private, row.public].map(|logits| {
            let logits: Vec<f64> = logits.iter().take(VOCABULARY).map(|logit| f64::from(*logit)).collect();
            log_softmax(&logits)
        });
        let best = (0..VOCABULARY).fold(0, |best, id| if p[id] > p[best] { id } else { best });
        let delta = private
            .iter()
            .zip(&public)
            .map(|(private, public)| private - public)
            .collect();
        positions.push([p, q, delta]);
        let best = TokenId(best as u32);
        if ends.contains(&best) {
            break;
        }
        shown.push(best);
        plain.push(best);
        last = vec![best];
    }
    positions
}

/// KL(p‖π).
fn divergence([p, q, delta]: &[Vec<f64>; 3], strength: f64) -> f64 {
    let scores: Vec<f64> = q.iter().zip(delta).map(|(q, delta)| q + strength * delta).collect();
    let steered = log_softmax(&scores);
    p.iter().zip(steered).map(|(p, steered)| p.exp() * (p - steered)).sum()
}

#[test]
fn the_curve_is_what_brute_force_finds() {
    run(async {
        // The server reads a little less than it is sent, so that the two sides do not agree and the least divergence is not simply at 1.
        let forgetful: Change = |body| {
            let prompt = body["prompt"].as_array_mut();
            prompt
                .filter(|prompt| prompt.len() > 8)
                .map(|prompt| prompt.drain(3..5));
        };
        let upstream = between(small_upstream(Duration::ZERO).await, forgetful).await;
        let (service, _) = proxy(upstream, &[("upstream.tokenizer", "models/tiny/slm")]).await;
        let mut measured = Vec::new();
        for question in read(SHIPPED).unwrap().iter().take(QUESTIONS) {
            measured.extend(positions(&service, upstream, question).await);
        }
        let brute = |strength: f64| {
            measured
                .iter()
                .map(|position| divergence(position, strength))
                .sum::<f64>()
                / measured.len() as f64
        };
        let folder = Folder::new();
        for (top_k, exact) in [("3456", 2e-3), ("20", 0.05)] {
            let setting = Setting {
                upstream,
                folder: &folder,
                variables: vec![("COSTEER__UPSTREAM__TOP_K", top_k)],
            };
            let (questions, tokens) = (QUESTIONS.to_string(), TOKENS.to_string());
            let shown = setting.report(&["--questions", &questions, "--tokens", &tokens]).await;
            let report = &shown["report"];
            assert_eq!(report["positions"], measured.len());
            let curve = &report["curves"][0];
            for point in curve["points"].as_array().unwrap() {
                let strength = point["strength"].as_f64().unwrap();
                let (found, expected) = (point["divergence"]["mean"].as_f64().unwrap(), brute(strength));
                let off = (found - expected).abs() / (1.0 + expected);
                assert!(
                    off < exact,
                    "{found} at {strength} with {top_k} candidates, and it is {expected}"
                );
            }
            let grid = (0..=400).map(|step| f64::from(step) / 100.0);
            let least = grid
                .min_by(|left, right| brute(*left).total_cmp(&brute(*right)))
                .unwrap();
            let found = curve["strength"].as_f64().unwrap();
            eprintln!(
                "{top_k} candidates: strength {found:.3}, by brute force {least:.2}; KL {:.4}",
                brute(least)
            );
            assert!(
                (found - least).abs() <= 0.03,
                "{found} with {top_k} candidates, and it is {least}"
            );
        }
    });
}
