//! Several answers to one request: side by side where the small model has room, and the same ones in any case.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::{Value, json};

use crate::support::{CONTEXT, DINNER, ask, events, post, proxy, question, run, upstream};

const STEERED: [(&str, &str); 1] = [("x-costeer-context", CONTEXT)];

async fn with_slots(slots: &str, queue: &str) -> SocketAddr {
    let settings = [("local.slots", slots), ("local.queue", queue)];
    proxy(upstream().await, &settings).await.1
}

/// Many answers that are drawn.
fn drawn(count: usize) -> Value {
    let mut body = question(DINNER);
    body["n"] = json!(count);
    body["temperature"] = json!(0.9);
    body["seed"] = json!(7);
    body["logprobs"] = json!(true);
    body
}

async fn chunks(address: SocketAddr, mut body: Value) -> Vec<Value> {
    body["stream"] = json!(true);
    let response = ask(address, &body, &STEERED).await;
    assert_eq!(response.status(), 200);
    let text = response.text().await.unwrap();
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    let parts = events(&text);
    parts
        .iter()
        .filter_map(|data| serde_json::from_str(data).ok())
        .collect()
}

/// What was picked for each answer, and why it ended. Not how likely the upstream holds it: its rounding goes by how many tokens it
/// computes at once, and so by the clock.
fn tokens(answer: &Value) -> Vec<(Vec<&Value>, &Value)> {
    fn picked(choice: &Value) -> (Vec<&Value>, &Value) {
        let listed = choice["logprobs"]["content"].as_array().unwrap().iter();
        (listed.map(|token| &token["bytes"]).collect(), &choice["finish_reason"])
    }
    answer["choices"].as_array().unwrap().iter().map(picked).collect()
}

#[test]
fn answers_are_the_same_side_by_side_as_alone() {
    run(async {
        let alone = with_slots("1", "4").await;
        let beside = with_slots("3", "4").await;
        let wanted: Value = ask(alone, &drawn(5), &STEERED).await.json().await.unwrap();
        let whole: Value = ask(beside, &drawn(5), &STEERED).await.json().await.unwrap();
        assert_eq!(tokens(&whole), tokens(&wanted));
        assert_eq!(whole["usage"], wanted["usage"]);
        let texts = wanted["choices"].as_array().unwrap().iter();
        let texts: Vec<&str> = texts
            .map(|choice| choice["message"]["content"].as_str().unwrap())
            .collect();
        assert!(texts.iter().collect::<BTreeSet<_>>().len() > 1, "{texts:?}");

        let mut traced = drawn(5);
        traced["costeer"] = json!({"trace": true});
        let parts = chunks(beside, traced).await;
        let choices: Vec<&Value> = parts.iter().map(|part| &part["choices"][0]).collect();
        for (index, text) in texts.iter().enumerate() {
            let of_it = || choices.iter().filter(|choice| choice["index"] == json!(index));
            let deltas = of_it().filter_map(|choice| choice["delta"]["content"].as_str());
            assert_eq!(&deltas.collect::<String>(), text);
            assert_eq!(
                of_it().filter(|choice| choice["delta"]["role"] == "assistant").count(),
                1
            );
            assert_eq!(of_it().filter(|choice| !choice["finish_reason"].is_null()).count(), 1);
            let settings = parts.iter().map(|part| &part["costeer"]["trace"]);
            let settings = settings.filter(|trace| trace["index"] == json!(index) && trace["settings"].is_object());
            let seeds: Vec<i64> = settings
                .map(|trace| trace["settings"]["seed"].as_i64().unwrap())
                .collect();
            assert_eq!(seeds, [7 + i64::try_from(index).unwrap()]);
        }
        // They do run side by side.
        let first_of = |index: usize| {
            choices
                .iter()
                .position(|choice| choice["index"] == json!(index))
                .unwrap()
        };
        let end_of = |index: usize| {
            let mut numbered = choices.iter();
            numbered.position(|choice| choice["index"] == json!(index) && !choice["finish_reason"].is_null())
        };
        assert!(Some(first_of(1)) < end_of(0), "{choices:?}");
    });
}

#[test]
fn several_prompts_are_answered_side_by_side_too() {
    run(async {
        let body = json!({"prompt": ["My dinner: ", "My dog is called"], "n": 2, "temperature": 0.7, "seed": 1, "max_tokens": 12});
        let mut answers = Vec::new();
        for slots in ["1", "4"] {
            let address = with_slots(slots, "4").await;
            let answer = post(address, "/v1/completions", body.to_string(), &STEERED).await;
            let answer: Value = answer.json().await.unwrap();
            assert_eq!(answer["choices"].as_array().unwrap().len(), 4, "{answer}");
            answers.push((answer["choices"].clone(), answer["usage"].clone()));
        }
        assert_eq!(answers[0], answers[1]);
    });
}

#[test]
fn a_client_that_leaves_frees_all_slots() {
    run(async {
        let address = with_slots("2", "0").await;
        let mut body = drawn(16);
        body["stream"] = json!(true);
        for pieces in [1, 30, 90] {
            let response = ask(address, &body, &STEERED).await;
            assert_eq!(response.status(), 200);
            let mut stream = response.bytes_stream();
            for _ in 0..pieces {
                stream.next().await.unwrap().unwrap();
            }
            drop(stream);
            // Both slots at the same time, with nobody allowed to wait.
            let begun = Instant::now();
            loop {
                let (one, other) = (question(DINNER), question("Which book should I pick?"));
                let both = tokio::join!(ask(address, &one, &STEERED), ask(address, &other, &STEERED));
                let statuses = [both.0.status(), both.1.status()];
                if statuses == [200, 200] {
                    break;
                }
                assert!(
                    statuses.iter().all(|status| [200, 429].contains(&status.as_u16())),
                    "{statuses:?}"
                );
                assert!(begun.elapsed() < Duration::from_secs(20), "slots are lost");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    });
}

#[test]
fn others_get_their_turn_between_the_answers() {
    run(async {
        let address = with_slots("2", "4").await;
        let many = async {
            let parts = chunks(address, drawn(16)).await;
            let ends = parts
                .iter()
                .filter(|part| !part["choices"][0]["finish_reason"].is_null());
            assert_eq!(ends.count(), 16);
            Instant::now()
        };
        let one = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let answer = ask(address, &question(DINNER), &STEERED).await;
            assert_eq!(answer.status(), 200);
            answer.bytes().await.unwrap();
            Instant::now()
        };
        let (many, one) = tokio::join!(many, one);
        assert!(
            one < many,
            "somebody with one question waited for all answers of somebody else"
        );
    });
}
