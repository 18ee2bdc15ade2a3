//! Ollama, by a double in front of the demo server that leaves out what Ollama leaves out: events without text, names of special tokens,
//! and the lists of tokens that end inside a character.

use std::net::SocketAddr;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use costeer::upstream::{Caller, Driver, Upstream};
use costeer::vocabulary::{TokenId, Tokenizer};
use futures::StreamExt;
use serde_json::{Value, json};

use crate::conformity::{request, server};
use crate::drivers::complete;
use crate::parity::{PAPER, partings};
use crate::support::{self, proxy, run, serve};

async fn ollama() -> SocketAddr {
    let models = || async {
        Json(json!({"object": "list", "data": [{"id": "tiny-llm", "object": "model", "owned_by": "library"}]}))
    };
    let routes = Router::new()
        .route("/v1/models", get(models))
        .route("/api/version", get(|| async { Json(json!({"version": "0.13.1"})) }))
        .route(
            "/api/tags",
            get(|| async { Json(json!({"models": [{"name": "tiny-llm"}]})) }),
        )
        .route("/api/generate", post(generate));
    serve(routes).await
}

fn entry(tokenizer: &Tokenizer, id: u32, logprob: f64) -> Value {
    let bytes = tokenizer.bytes().get(TokenId(id));
    json!({"token": String::from_utf8_lossy(bytes), "logprob": logprob, "bytes": bytes})
}

async fn generate(Json(body): Json<Value>) -> Response {
    let tokenizer = support::tokenizer("llm");
    assert_eq!((&body["raw"], &body["model"]), (&json!(true), &json!("tiny-llm")));
    let prompt = tokenizer.encode(body["prompt"].as_str().unwrap()).unwrap();
    let prompt = prompt.iter().map(|id| id.0).collect();
    let (lists, mut tokens, finish) = complete(
        prompt,
        &body["options"]["num_predict"],
        &body["top_logprobs"],
        &Value::Null,
    )
    .await;
    if body["format"].is_object() {
        tokens = vec![tokenizer.token_of(b"\"").unwrap().0];
    }
    let (mut lines, mut withheld) = (Vec::new(), Vec::new());
    for (token, list) in tokens.iter().zip(&lists) {
        withheld.extend(tokenizer.bytes().get(TokenId(*token)));
        let Ok(text) = String::from_utf8(withheld.clone()) else {
            continue;
        };
        withheld.clear();
        if text.is_empty() {
            continue;
        }
        let logprob = list
            .iter()
            .find(|(id, _)| id == token)
            .map_or(-1e9, |(_, logprob)| *logprob);
        let mut whole = entry(&tokenizer, *token, logprob);
        whole["top_logprobs"] = list
            .iter()
            .map(|(id, logprob)| entry(&tokenizer, *id, *logprob))
            .collect();
        lines.push(json!({"model": "tiny-llm", "response": text, "done": false, "logprobs": [whole]}));
    }
    if body["stream"] == json!(false) {
        let mut answer = lines.pop().unwrap_or_else(|| json!({"response": ""}));
        answer["done"] = json!(true);
        answer["done_reason"] = json!(finish);
        return Json(answer).into_response();
    }
    lines.push(json!({"model": "tiny-llm", "response": "", "done": true, "done_reason": finish}));
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    ([("content-type", "application/x-ndjson")], Body::from(text)).into_response()
}

#[test]
fn steered_text_is_the_same_through_ollama() {
    run(async {
        let (proxy, _) = proxy(ollama().await, &[PAPER]).await;
        let (positions, partings) = partings(&proxy, "system-20.jsonl", 8).await;
        assert!(
            partings.iter().all(|parting| parting.margin < 1e-3),
            "{positions} positions: {partings:?}"
        );
    });
}

#[test]
fn ollama_is_recognised_and_says_how_much_it_lists() {
    run(async {
        let server = server(ollama().await, Driver::Auto);
        let description = server.describe(&Caller::default()).await.unwrap();
        assert_eq!(
            (description.driver, description.server.as_str()),
            (Driver::Ollama, "Ollama 0.13.1")
        );
        assert_eq!(
            (description.limits.longest_list, description.limits.by_id),
            (Some(20), false)
        );
    });
}

/// The model is made to go on with a text whose characters are several tokens each, and is left inside one of them.
#[test]
fn characters_of_several_tokens_come_whole() {
    run(async {
        let tokenizer = support::tokenizer("llm");
        let server = server(ollama().await, Driver::Auto);
        let theirs = support::upstream().await;
        let vllm = crate::conformity::server(theirs, Driver::Auto);
        let mut compared = 0;
        for text in ["日本日本日本日本日本", "🦀🦀🦀🦀🦀🦀🦀🦀", "ж ж ж ж ж ж"] {
            let ids = tokenizer.encode(text).unwrap();
            for cut in 0..3 {
                let prefix = ids[..ids.len() - cut].to_vec();
                let ours: Vec<_> = server
                    .positions(request(prefix.clone(), 8))
                    .await
                    .unwrap()
                    .collect()
                    .await;
                let theirs: Vec<_> = vllm.positions(request(prefix, 8)).await.unwrap().collect().await;
                for (ours, theirs) in ours.into_iter().zip(theirs) {
                    let Ok(ours) = ours else { break };
                    assert_eq!(ours.draft, theirs.unwrap().draft, "{text}, {cut} left out");
                    compared += 1;
                }
            }
        }
        assert!(compared > 5, "{compared}");
    });
}
