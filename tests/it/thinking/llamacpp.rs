//! The demo server, as llama.cpp's would speak.

use std::net::SocketAddr;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::support;

/// A server in llama.cpp's dialect that asks `upstream`, one in vLLM's.
pub async fn translated(upstream: SocketAddr) -> SocketAddr {
    let models =
        || async { Json(json!({"data": [{"id": "tiny-llm", "owned_by": "llamacpp", "meta": {"n_ctx": 4096}}]})) };
    let routes = Router::new()
        .route("/v1/models", get(models))
        .route("/tokenize", post(tokenize))
        .with_state(upstream);
    support::serve(routes.merge(completions(upstream))).await
}

/// Its route for answers.
pub fn completions(upstream: SocketAddr) -> Router {
    Router::new().route("/completion", post(complete)).with_state(upstream)
}

async fn said(upstream: SocketAddr, path: &str, body: Value) -> Value {
    let answer = support::post(upstream, path, body.to_string(), &[]).await;
    answer.json().await.unwrap()
}

async fn tokenize(State(upstream): State<SocketAddr>, Json(body): Json<Value>) -> Json<Value> {
    let asked = json!({"prompt": body["content"], "add_special_tokens": body["add_special"]});
    let tokens = said(upstream, "/tokenize", asked).await;
    Json(json!({"tokens": tokens["tokens"]}))
}

async fn complete(State(upstream): State<SocketAddr>, Json(body): Json<Value>) -> axum::response::Response {
    let asked = json!({
        "prompt": body["prompt"], "max_tokens": body["n_predict"], "logprobs": body["n_probs"], "temperature": 0,
        "return_token_ids": true, "return_tokens_as_token_ids": true,
    });
    let answer = said(upstream, "/v1/completions", asked).await;
    let choice = &answer["choices"][0];
    let ids = choice["token_ids"].as_array().unwrap();
    let lists = choice["logprobs"]["top_logprobs"].as_array().unwrap();
    let entries = ids.iter().zip(lists).map(|(id, list)| {
        let id_of = |name: &str| name.strip_prefix("token_id:").unwrap().parse::<u32>().unwrap();
        let listed = list.as_object().unwrap().iter();
        let listed = listed.map(|(name, logprob)| json!({"id": id_of(name), "logprob": logprob}));
        json!({"id": id, "top_logprobs": listed.collect::<Vec<_>>()})
    });
    let entries: Vec<Value> = entries.collect();
    if body["stream"] != true {
        return Json(json!({"completion_probabilities": entries})).into_response();
    }
    let mut text = String::new();
    for (index, entry) in entries.iter().enumerate() {
        let event = json!({
            "tokens": [entry["id"]], "completion_probabilities": [entry], "stop": false, "tokens_predicted": index + 1,
        });
        text.push_str(&format!("data: {event}\n\n"));
    }
    let last = json!({"tokens": [], "stop": true, "tokens_predicted": entries.len()});
    text.push_str(&format!("data: {last}\n\n"));
    ([("content-type", "text/event-stream")], text).into_response()
}
