//! The demo server against recorded answers of vLLM 0.32, and its own promises.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use costeer::local::ModelSource;
use costeer::testkit::{DemoServer, Pacing};
use costeer::vocabulary::{ChatMessage, Role, Tokenizer, resolve_path};
use futures::StreamExt;
use serde_json::{Value, json};

use crate::support::{DINNER, events, options, post, question, run, serve, upstream};

async fn complete(address: SocketAddr, body: Value) -> Value {
    let response = post(address, "/v1/completions", body.to_string(), &[]).await;
    response.json().await.unwrap()
}

fn ids(request: Value) -> Value {
    let mut body = json!({
        "prompt": dinner_prompt(),
        "max_tokens": 2,
        "logprobs": 3,
        "temperature": 0,
        "return_token_ids": true,
        "return_tokens_as_token_ids": true,
    });
    for (key, value) in request.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

/// Ids of a rendered question.
fn dinner_prompt() -> Vec<u32> {
    let tokenizer = Tokenizer::load(&resolve_path("models/tiny/llm".as_ref())).unwrap();
    let messages = [ChatMessage::new(Role::User, DINNER)];
    let ids = tokenizer.chat_prompt(&messages).unwrap();
    ids.iter().map(|id| id.0).collect()
}

/// Every key of `ours` is in `theirs` with a value of the same type; null stands for any type.
fn assert_same_shape(ours: &Value, theirs: &Value, path: &str) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) if path.ends_with("top_logprobs[0]") => {
            assert_eq!(ours.len(), theirs.len(), "{path}");
            assert!(ours.keys().all(|key| key.starts_with("token_id:")), "{path}");
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            for (key, value) in ours {
                let recorded = theirs
                    .get(key)
                    .unwrap_or_else(|| panic!("{path}.{key} is not in vLLM's answer"));
                assert_same_shape(value, recorded, &format!("{path}.{key}"));
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            assert_eq!(ours.is_empty(), theirs.is_empty(), "{path}");
            if let (Some(ours), Some(theirs)) = (ours.first(), theirs.first()) {
                assert_same_shape(ours, theirs, &format!("{path}[0]"));
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        _ => assert_eq!(
            std::mem::discriminant(ours),
            std::mem::discriminant(theirs),
            "{path}: {ours} is not like {theirs}"
        ),
    }
}

fn recorded(name: &str) -> Value {
    let path = format!("{}/tests/it/data/vllm/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn parsed(stream: &str) -> Vec<Value> {
    let events = events(stream);
    assert_eq!(events.last().unwrap(), "[DONE]");
    let data = events[..events.len() - 1].iter();
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

#[test]
fn completions_look_like_vllms() {
    run(async {
        let answer = complete(upstream().await, ids(json!({}))).await;
        assert_same_shape(&answer, &recorded("completion"), "");
        let choice = &answer["choices"][0];
        assert_eq!(choice["prompt_token_ids"], json!(dinner_prompt()));
        assert_eq!(choice["token_ids"].as_array().unwrap().len(), 2);
        let logprobs = &choice["logprobs"];
        for (index, token) in choice["token_ids"].as_array().unwrap().iter().enumerate() {
            let name = format!("token_id:{token}");
            assert_eq!(logprobs["tokens"][index], json!(name));
            assert_eq!(
                logprobs["top_logprobs"][index][&name],
                logprobs["token_logprobs"][index]
            );
        }
        assert_eq!(choice["finish_reason"], "length");
    });
}

#[test]
fn streams_look_like_vllms() {
    run(async {
        let body = ids(json!({"stream": true, "stream_options": {"include_usage": true}}));
        let response = post(upstream().await, "/v1/completions", body.to_string(), &[]).await;
        let ours = parsed(&response.text().await.unwrap());
        let theirs = recorded("completion_stream");
        let theirs = theirs.as_array().unwrap();
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert_same_shape(ours, theirs, "");
        }
        assert!(
            ours[1]["choices"][0]["prompt_token_ids"].is_null(),
            "the prompt's ids come once"
        );
        assert_eq!(ours[2]["choices"], json!([]));

        let mut body = question(DINNER);
        body["max_tokens"] = json!(2);
        let whole = post(upstream().await, "/v1/chat/completions", body.to_string(), &[]).await;
        assert_same_shape(&whole.json().await.unwrap(), &recorded("chat"), "");
        body["stream"] = json!(true);
        let response = post(upstream().await, "/v1/chat/completions", body.to_string(), &[]).await;
        let theirs = recorded("chat_stream");
        for (ours, theirs) in parsed(&response.text().await.unwrap())
            .iter()
            .zip(theirs.as_array().unwrap())
        {
            assert_same_shape(ours, theirs, "");
        }
        let models = reqwest::get(format!("http://{}/v1/models", upstream().await))
            .await
            .unwrap();
        assert_same_shape(&models.json().await.unwrap(), &recorded("models"), "");
        let version = reqwest::get(format!("http://{}/version", upstream().await))
            .await
            .unwrap();
        assert!(version.json::<Value>().await.unwrap()["version"].is_string());
    });
}

#[test]
fn any_top_k_is_given_up_to_the_vocabulary() {
    run(async {
        let address = upstream().await;
        for k in [1, 20, 50, 500] {
            let answer = complete(address, ids(json!({"logprobs": k}))).await;
            let top = answer["choices"][0]["logprobs"]["top_logprobs"][0].as_object().unwrap();
            assert_eq!(top.len(), k);
        }
        let whole = complete(address, ids(json!({"logprobs": 1_000_000}))).await;
        let top = whole["choices"][0]["logprobs"]["top_logprobs"][0].as_object().unwrap();
        let mass: f64 = top.values().map(|logprob| logprob.as_f64().unwrap().exp()).sum();
        assert!((mass - 1.0).abs() < 1e-4, "the whole vocabulary sums to {mass}");
        let sampled = complete(address, ids(json!({"logprobs": 1, "temperature": 5.0, "seed": 3}))).await;
        let top = sampled["choices"][0]["logprobs"]["top_logprobs"][0]
            .as_object()
            .unwrap();
        assert!(
            top.len() <= 2,
            "the sampled token is added when it is not among the likeliest"
        );
    });
}

#[test]
fn continuing_a_sequence_gives_the_same_tokens_as_one_go() {
    run(async {
        let address = upstream().await;
        let whole = complete(address, ids(json!({"max_tokens": 12}))).await;
        let whole: Vec<Value> = whole["choices"][0]["token_ids"].as_array().unwrap().clone();
        let mut prompt: Vec<Value> = ids(json!({}))["prompt"].as_array().unwrap().clone();
        let start = prompt.len();
        while prompt.len() - start < whole.len() {
            let next = complete(address, ids(json!({"max_tokens": 1, "prompt": prompt}))).await;
            prompt.push(next["choices"][0]["token_ids"][0].clone());
        }
        assert_eq!(&prompt[start..], whole);
    });
}

#[test]
fn refusals_look_like_vllms() {
    run(async {
        let address = upstream().await;
        let refusal = async |body: Value| {
            let response = post(address, "/v1/completions", body.to_string(), &[]).await;
            (response.status().as_u16(), response.json::<Value>().await.unwrap())
        };
        let (status, body) = refusal(ids(json!({"model": "nope"}))).await;
        assert_eq!(status, 404);
        assert_same_shape(&body, &recorded("unknown_model"), "");
        for (change, needle) in [
            (json!({"prompt": []}), "at least one prompt"),
            (json!({"prompt": [99_999_999]}), "out of vocabulary"),
            (json!({"prompt": vec![300; 5000]}), "maximum context length is 4096"),
            (json!({"max_tokens": 0}), "max_tokens must be at least 1"),
            (json!({"logprobs": -5}), "logprobs"),
            (json!({"prompt": {"a": 1}}), "prompt"),
        ] {
            let (status, body) = refusal(ids(change)).await;
            assert_eq!((status, &body["error"]["code"]), (400, &json!(400)));
            assert!(body["error"]["message"].as_str().unwrap().contains(needle), "{body}");
        }
    });
}

#[test]
fn a_client_that_goes_away_stops_the_generation() {
    run(async {
        let source = ModelSource::locate("--model", "models/tiny/llm").await.unwrap();
        let pacing = Pacing {
            delay: Duration::ZERO,
            pace: Duration::from_millis(200),
        };
        let server = DemoServer::load(&source, &options(), 1, "slow", pacing).await.unwrap();
        let address = serve(server.router()).await;
        let mut body = question(DINNER);
        body["stream"] = json!(true);
        body["max_tokens"] = json!(60);
        let response = post(address, "/v1/chat/completions", body.to_string(), &[]).await;
        let mut stream = response.bytes_stream();
        for _ in 0..3 {
            stream.next().await.unwrap().unwrap();
        }
        drop(stream);
        // The only slot is free again long before some thirty tokens at 200 ms could have been made.
        let start = Instant::now();
        let answer = complete(address, ids(json!({"max_tokens": 1}))).await;
        assert_eq!(answer["choices"][0]["finish_reason"], "length");
        assert!(
            start.elapsed() < Duration::from_secs(3),
            "it took {:?}",
            start.elapsed()
        );
    });
}
