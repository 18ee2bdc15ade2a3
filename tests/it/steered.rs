use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::serve::ListenerExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{
    CONTEXT, DINNER, Recording, ask, content, default_proxy, events, proxy, question, recorder_router, run,
    streamed_content, upstream,
};

async fn steered(address: std::net::SocketAddr, body: &Value) -> Value {
    let response = ask(address, body, &[("x-costeer-context", CONTEXT)]).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-costeer-steered"], "true");
    response.json().await.unwrap()
}

#[test]
fn an_answer_has_openais_shape_and_a_report() {
    run(async {
        let answer = steered(default_proxy().await, &question(DINNER)).await;
        assert_eq!(answer["object"], "chat.completion");
        assert!(answer["id"].as_str().unwrap().starts_with("chatcmpl-"));
        assert_eq!(answer["choices"][0]["message"]["role"], "assistant");
        assert_eq!(answer["choices"][0]["finish_reason"], "stop");
        let report = &answer["costeer"];
        let count = |name: &str| report[name].as_u64().unwrap();
        assert_eq!(count("certified") + count("uncertified"), count("positions"));
        assert_eq!(answer["usage"]["completion_tokens"], report["positions"]);
        assert!(count("changed") > 0 && count("changed") < count("positions"));
    });
}

#[test]
fn the_context_changes_the_answer_and_strength_zero_does_not() {
    run(async {
        let address = default_proxy().await;
        let with = content(&steered(address, &question(DINNER)).await);
        assert!(with.contains("vegan"), "{with}");
        let plain = ask(address, &question(DINNER), &[]).await;
        assert_eq!(plain.headers()["x-costeer-steered"], "false");
        let plain = content(&plain.json().await.unwrap());
        assert_ne!(with, plain);
        let mut zero = question(DINNER);
        zero["costeer"] = json!({"strength": 0});
        assert_eq!(content(&steered(address, &zero).await), plain);
        let headers = [("x-costeer-context", CONTEXT), ("x-costeer-strength", "0")];
        let by_header = ask(address, &question(DINNER), &headers).await;
        assert_eq!(content(&by_header.json().await.unwrap()), plain);
    });
}

#[test]
fn the_context_may_come_from_any_of_its_places() {
    run(async {
        let address = default_proxy().await;
        let wanted = content(&steered(address, &question(DINNER)).await);
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, CONTEXT);
        let response = ask(address, &question(DINNER), &[("x-costeer-context-base64", &encoded)]).await;
        assert_eq!(content(&response.json().await.unwrap()), wanted);
        let mut body = question(DINNER);
        body["costeer"] = json!({"context": CONTEXT});
        let response = ask(address, &body, &[]).await;
        assert_eq!(content(&response.json().await.unwrap()), wanted);
        let (_proxy, configured) = proxy(upstream().await, &[("context.text", CONTEXT)]).await;
        let response = ask(configured, &question(DINNER), &[]).await;
        assert_eq!(response.headers()["x-costeer-steered"], "true");
        assert_eq!(content(&response.json().await.unwrap()), wanted);
    });
}

#[test]
fn a_stream_says_what_the_whole_answer_says() {
    run(async {
        let address = default_proxy().await;
        for (temperature, seed) in [(0.0, 1), (0.9, 1), (0.9, 2)] {
            let mut body = question(DINNER);
            body["temperature"] = json!(temperature);
            body["seed"] = json!(seed);
            let whole = steered(address, &body).await;
            body["stream"] = json!(true);
            body["stream_options"] = json!({"include_usage": true});
            let response = ask(address, &body, &[("x-costeer-context", CONTEXT)]).await;
            assert_eq!(response.headers()["x-costeer-steered"], "true");
            assert_eq!(response.headers()["content-type"], "text/event-stream");
            let stream = response.text().await.unwrap();
            let data = events(&stream);
            let (text, last) = streamed_content(&stream);
            assert_eq!(text, content(&whole));
            assert_eq!(
                last["choices"][0]["finish_reason"],
                whole["choices"][0]["finish_reason"]
            );
            assert_eq!(last["costeer"]["positions"], whole["costeer"]["positions"]);

            let first: Value = serde_json::from_str(&data[0]).unwrap();
            assert_eq!(
                first["choices"][0]["delta"],
                json!({"role": "assistant", "content": ""})
            );
            assert_eq!(data.iter().filter(|data| data.contains("\"role\"")).count(), 1);
            let usage: Value = serde_json::from_str(&data[data.len() - 2]).unwrap();
            assert_eq!((&usage["choices"], &usage["usage"]), (&json!([]), &whole["usage"]));
            assert_eq!(data.last().unwrap(), "[DONE]");
        }
    });
}

#[test]
fn seeds_repeat_and_differ() {
    run(async {
        let address = default_proxy().await;
        let mut answers = Vec::new();
        for seed in [7, 7, 8, 9, 10] {
            let mut body = question(DINNER);
            body["temperature"] = json!(1.2);
            body["seed"] = json!(seed);
            answers.push(content(&steered(address, &body).await));
        }
        assert_eq!(answers[0], answers[1]);
        assert!(answers[2..].iter().any(|answer| *answer != answers[0]));
    });
}

#[test]
fn lookahead_changes_no_token() {
    run(async {
        let mut answers = Vec::new();
        for lookahead in ["1", "3", "64"] {
            let (_proxy, address) = proxy(upstream().await, &[("upstream.lookahead", lookahead)]).await;
            for (temperature, text) in [(0.0, DINNER), (0.8, DINNER), (0.0, "Which book should I pick?")] {
                let mut body = question(text);
                body["temperature"] = json!(temperature);
                body["seed"] = json!(5);
                let answer = steered(address, &body).await;
                let report = &answer["costeer"];
                let requests = report["upstream_requests"].as_u64().unwrap();
                match lookahead {
                    "1" => assert_eq!(requests, report["positions"].as_u64().unwrap()),
                    _ => assert!(requests < report["positions"].as_u64().unwrap()),
                }
                answers.push((lookahead, content(&answer)));
            }
        }
        for index in 0..3 {
            assert_eq!(answers[index].1, answers[index + 3].1);
            assert_eq!(answers[index].1, answers[index + 6].1);
        }
    });
}

#[test]
fn the_token_limit_ends_an_answer() {
    run(async {
        let mut body = question(DINNER);
        body["max_tokens"] = json!(3);
        let answer = steered(default_proxy().await, &body).await;
        assert_eq!(answer["choices"][0]["finish_reason"], "length");
        assert_eq!(answer["usage"]["completion_tokens"], 3);
    });
}

#[test]
fn without_a_context_the_upstreams_own_bytes_come_back() {
    run(async {
        let (proxied, direct) = (default_proxy().await, upstream().await);
        for path in ["/v1/models", "/v1/nonsense"] {
            let client = reqwest::Client::new();
            let one = client.get(format!("http://{proxied}{path}")).send().await.unwrap();
            let other = client.get(format!("http://{direct}{path}")).send().await.unwrap();
            assert_eq!(one.status(), other.status(), "{path}");
            assert_eq!(one.headers()["x-costeer-steered"], "false");
            let strip = |text: String| text.split("\"created\"").next().unwrap().to_owned();
            assert_eq!(strip(one.text().await.unwrap()), strip(other.text().await.unwrap()));
        }
        let mut body = question(DINNER);
        body["stream"] = json!(true);
        let (one, other) = (ask(proxied, &body, &[]).await, ask(direct, &body, &[]).await);
        let (one, other) = (one.text().await.unwrap(), other.text().await.unwrap());
        assert_eq!(streamed_content(&one).0, streamed_content(&other).0);
        assert!(one.ends_with("data: [DONE]\n\n"));
        let health = reqwest::get(format!("http://{proxied}/healthz")).await.unwrap();
        assert_eq!(health.status(), 200);
    });
}

#[test]
fn a_long_context_and_a_long_prompt_work() {
    run(async {
        // The demo server goes on from a prefix it holds only where nothing was drafted beyond it; computing a
        // long prompt again for every changed token would take minutes.
        let (_proxy, address) = proxy(upstream().await, &[("upstream.lookahead", "1")]).await;
        let mut context = String::from("I am vegan. ");
        while context.len() < 2000 {
            context.push_str("I once lived by the sea and I still like the sound of it. ");
        }
        let response = ask(address, &question(DINNER), &[("x-costeer-context", &context)]).await;
        assert_eq!(response.status(), 200);
        let answer: Value = response.json().await.unwrap();
        assert!(content(&answer).len() > 10);

        let long = format!("{} {DINNER}", "I like the sea and the sun. ".repeat(190));
        let response = ask(address, &question(&long), &[("x-costeer-context", CONTEXT)]).await;
        assert_eq!(response.status(), 200);
        let answer: Value = response.json().await.unwrap();
        assert!(
            answer["usage"]["prompt_tokens"].as_u64().unwrap() >= 1500,
            "{}",
            answer["usage"]
        );
    });
}

#[test]
fn placement_user_works_too() {
    run(async {
        let (_proxy, address) = proxy(upstream().await, &[("context.placement", "user")]).await;
        let answer = content(&steered(address, &question(DINNER)).await);
        assert!(answer.contains("vegan"), "{answer}");
    });
}

#[test]
fn one_request_for_each_token_keeps_its_connection() {
    run(async {
        let accepted = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&accepted);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let counting_at = listener.local_addr().unwrap();
        let listener = listener.tap_io(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        let forward = recorder_router(Recording::default(), upstream().await);
        tokio::spawn(async move { axum::serve(listener, forward).await });
        let (_proxy, address) = proxy(counting_at, &[("upstream.lookahead", "1")]).await;
        let answer = steered(address, &question(DINNER)).await;
        let requests = answer["costeer"]["upstream_requests"].as_u64().unwrap();
        let connections = accepted.load(Ordering::Relaxed);
        assert!(
            requests > 15 && connections <= 3,
            "{requests} requests used {connections} connections"
        );
    });
}
