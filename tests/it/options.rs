//! What clients may ask of a steered answer beyond its text: OpenAI's options, and those of vendors.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::{
    CONTEXT, DINNER, ask, content, default_proxy, events, post, proxy, question, run, streamed_content, tokenizer,
    upstream,
};

async fn answer(address: SocketAddr, body: &Value) -> Value {
    let response = ask(address, body, &[("x-costeer-context", CONTEXT)]).await;
    let status = response.status();
    let answer: Value = response.json().await.unwrap();
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn stream(address: SocketAddr, path: &str, body: &Value) -> Vec<Value> {
    let mut body = body.clone();
    body["stream"] = json!(true);
    let response = post(address, path, body.to_string(), &[("x-costeer-context", CONTEXT)]).await;
    assert_eq!(response.headers()["x-costeer-steered"], "true");
    let text = response.text().await.unwrap();
    let data = events(&text);
    assert_eq!(data.last().unwrap(), "[DONE]", "{text}");
    data[..data.len() - 1]
        .iter()
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

fn with(fields: Value) -> Value {
    let mut body = question(DINNER);
    for (field, value) in fields.as_object().unwrap() {
        body[field] = value.clone();
    }
    body
}

#[test]
fn several_choices_are_drawn_each_with_a_seed_of_its_own() {
    run(async {
        let address = default_proxy().await;
        let three = answer(address, &with(json!({"n": 3, "temperature": 1.0, "seed": 5}))).await;
        let choices = three["choices"].as_array().unwrap();
        assert_eq!(
            choices
                .iter()
                .map(|choice| choice["index"].as_u64().unwrap())
                .collect::<Vec<_>>(),
            [0, 1, 2]
        );
        let texts: Vec<String> = choices
            .iter()
            .map(|choice| choice["message"]["content"].as_str().unwrap().into())
            .collect();
        assert!(texts.iter().collect::<BTreeSet<_>>().len() > 1, "{texts:?}");
        for (index, text) in texts.iter().enumerate() {
            let alone = answer(address, &with(json!({"temperature": 1.0, "seed": 5 + index}))).await;
            assert_eq!(&content(&alone), text);
        }
        let one = answer(address, &with(json!({"temperature": 1.0, "seed": 5}))).await;
        assert_eq!(three["usage"]["prompt_tokens"], one["usage"]["prompt_tokens"]);
        assert_eq!(three["usage"]["completion_tokens"], three["costeer"]["positions"]);
        // A stream has the same texts, told apart by their index.
        let parts = stream(
            address,
            "/v1/chat/completions",
            &with(json!({"n": 3, "temperature": 1.0, "seed": 5})),
        )
        .await;
        for (index, text) in texts.iter().enumerate() {
            let of_it = parts
                .iter()
                .map(|part| &part["choices"][0])
                .filter(|choice| choice["index"] == json!(index));
            let deltas: String = of_it
                .clone()
                .filter_map(|choice| choice["delta"]["content"].as_str())
                .collect();
            assert_eq!(&deltas, text);
            assert_eq!(
                of_it
                    .clone()
                    .filter(|choice| choice["delta"]["role"] == "assistant")
                    .count(),
                1
            );
            assert_eq!(
                of_it
                    .clone()
                    .filter(|choice| !choice["finish_reason"].is_null())
                    .count(),
                1
            );
        }
    });
}

#[test]
fn stop_strings_end_the_answer_and_never_show() {
    run(async {
        let address = default_proxy().await;
        let whole = content(&answer(address, &question(DINNER)).await);
        // From the middle of one word to the middle of the next, so that it spans tokens.
        let middle = whole
            .char_indices()
            .filter(|(_, character)| *character == ' ')
            .nth(3)
            .unwrap()
            .0;
        let stop = &whole[middle - 2..middle + 3];
        for stops in [json!(stop), json!(["never said", stop])] {
            let cut = answer(address, &with(json!({"stop": stops}))).await;
            assert_eq!(content(&cut), whole[..whole.find(stop).unwrap()]);
            assert_eq!(cut["choices"][0]["finish_reason"], "stop");
            let parts = stream(address, "/v1/chat/completions", &with(json!({"stop": stops}))).await;
            let text: String = parts
                .iter()
                .filter_map(|part| part["choices"][0]["delta"]["content"].as_str())
                .collect();
            assert_eq!(text, content(&cut));
        }
        // What only looks like the beginning of one is not lost.
        let almost = format!("{}\u{1}", &whole[whole.len() - 4..]);
        let answered = answer(address, &with(json!({"stop": almost}))).await;
        assert_eq!(content(&answered), whole);
    });
}

#[test]
fn a_bias_forces_and_forbids_tokens_also_those_the_upstream_does_not_list() {
    run(async {
        let address = default_proxy().await;
        let tokenizer = tokenizer("slm");
        let whole = content(&answer(address, &question(DINNER)).await);
        let first = tokenizer.encode(&whole).unwrap()[0].0.to_string();
        let banned = content(&answer(address, &with(json!({"logit_bias": {&first: -100}}))).await);
        assert_ne!(tokenizer.encode(&banned).unwrap()[0].0.to_string(), first);
        let unknown = ask(
            address,
            &with(json!({"logit_bias": {"999999": 1}})),
            &[("x-costeer-context", CONTEXT)],
        )
        .await;
        assert_eq!(unknown.status(), 400);
        // Nobody would begin with this one.
        let unlikely = tokenizer.encode(" 7").unwrap()[0].0;
        let forced = with(json!({"logit_bias": {unlikely.to_string(): 100}, "max_tokens": 4}));
        let bytes = tokenizer.bytes().get(costeer::vocabulary::TokenId(unlikely)).repeat(4);
        assert_eq!(content(&answer(address, &forced).await).as_bytes(), bytes);
        // Not where steering is bypassed, either.
        let bypass = [
            ("steering.bypass", "latch"),
            ("steering.bypass_threshold", "1"),
            ("steering.bypass_positions", "1"),
        ];
        let (_service, address) = proxy(upstream().await, &bypass).await;
        assert_eq!(content(&answer(address, &forced).await).as_bytes(), bytes);
    });
}

#[test]
fn penalties_make_tokens_less_likely_to_come_again() {
    run(async {
        let address = default_proxy().await;
        let listed = async |fields: Value| -> Vec<(String, f64)> {
            let mut body = with(fields);
            body["logprobs"] = json!(true);
            let answer = answer(address, &body).await;
            let entries = answer["choices"][0]["logprobs"]["content"].as_array().unwrap().clone();
            let entry = |entry: &Value| {
                (
                    entry["token"].as_str().unwrap().to_owned(),
                    entry["logprob"].as_f64().unwrap(),
                )
            };
            entries.iter().map(entry).collect()
        };
        let plain = listed(json!({})).await;
        let times_before = |index: usize| {
            plain[..index]
                .iter()
                .filter(|(token, _)| *token == plain[index].0)
                .count()
        };
        let again = (0..plain.len()).find(|index| times_before(*index) == 1).unwrap();
        let third = (0..plain.len()).find(|index| times_before(*index) == 2).unwrap();
        let presence = listed(json!({"presence_penalty": 1.5})).await;
        let frequency = listed(json!({"frequency_penalty": 1.5})).await;
        // The tiny pair is so sure of itself that the same token comes all the same.
        let all = [(&presence, again), (&frequency, again), (&frequency, third)];
        for (penalised, index) in all {
            assert_eq!(penalised[index].0, plain[index].0);
            assert!(penalised[index].1 < plain[index].1, "{penalised:?} {plain:?}");
        }
        let raised = listed(json!({"presence_penalty": -1.5})).await;
        assert!(raised[again].1 > plain[again].1);
        assert!(!listed(json!({"repetition_penalty": 1.2})).await.is_empty());
    });
}

#[test]
fn sampling_limits_leave_only_the_best() {
    run(async {
        let address = default_proxy().await;
        let best = content(&answer(address, &question(DINNER)).await);
        for limit in [json!({"top_k": 1}), json!({"min_p": 1.0}), json!({"top_p": 1e-9})] {
            let mut body = with(limit.clone());
            body["temperature"] = json!(1.5);
            assert_eq!(content(&answer(address, &body).await), best, "{limit}");
        }
    });
}

#[test]
fn logprobs_are_those_of_the_steered_policy() {
    run(async {
        let address = default_proxy().await;
        let answered = answer(address, &with(json!({"logprobs": true, "top_logprobs": 5}))).await;
        let listed = answered["choices"][0]["logprobs"]["content"].as_array().unwrap();
        // The end of turn is counted and not listed.
        assert_eq!(
            listed.len() as u64,
            answered["usage"]["completion_tokens"].as_u64().unwrap() - 1
        );
        let text: String = listed.iter().map(|entry| entry["token"].as_str().unwrap()).collect();
        assert_eq!(text, content(&answered));
        for entry in listed {
            let best = entry["top_logprobs"].as_array().unwrap();
            assert_eq!(best.len(), 5);
            // Greedy: the picked one is the likeliest of the steered policy.
            assert_eq!(
                (&best[0]["token"], &best[0]["logprob"]),
                (&entry["token"], &entry["logprob"])
            );
            let mass: f64 = best.iter().map(|best| best["logprob"].as_f64().unwrap().exp()).sum();
            assert!(mass <= 1.0 + 1e-9 && mass > 0.0);
            let bytes: Vec<u8> = serde_json::from_value(entry["bytes"].clone()).unwrap();
            assert_eq!(String::from_utf8(bytes).unwrap(), entry["token"].as_str().unwrap());
        }
        let none = answer(address, &with(json!({"logprobs": true}))).await;
        assert_eq!(none["choices"][0]["logprobs"]["content"][0]["top_logprobs"], json!([]));
        let parts = stream(
            address,
            "/v1/chat/completions",
            &with(json!({"logprobs": true, "top_logprobs": 5, "stop": "zzz"})),
        )
        .await;
        let streamed: Vec<Value> = parts
            .iter()
            .filter_map(|part| part["choices"][0]["logprobs"]["content"].as_array())
            .flatten()
            .cloned()
            .collect();
        assert_eq!(streamed.len(), listed.len());
        for (streamed, listed) in streamed.iter().zip(listed) {
            assert_eq!(streamed["token"], listed["token"]);
            // The upstream may have computed the position in another batch.
            let difference = streamed["logprob"].as_f64().unwrap() - listed["logprob"].as_f64().unwrap();
            assert!(difference.abs() < 1e-4);
        }
    });
}

#[test]
fn a_text_is_completed_in_the_older_shape() {
    run(async {
        let address = default_proxy().await;
        let tokenizer = tokenizer("slm");
        let chat = [costeer::vocabulary::ChatMessage::new(
            costeer::vocabulary::Role::User,
            DINNER,
        )];
        let ids: Vec<u32> = tokenizer.chat_prompt(&chat).unwrap().iter().map(|id| id.0).collect();
        let context = [("x-costeer-context", CONTEXT)];
        let body = json!({"prompt": ids, "max_tokens": 24, "temperature": 0, "logprobs": 3});
        let answer: Value = post(address, "/v1/completions", body.to_string(), &context)
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(answer["object"], "text_completion");
        assert!(answer["id"].as_str().unwrap().starts_with("cmpl-"));
        assert_eq!(answer["usage"]["prompt_tokens"], json!(ids.len()));
        let choice = &answer["choices"][0];
        let text = choice["text"].as_str().unwrap();
        let logprobs = &choice["logprobs"];
        let tokens: Vec<&str> = logprobs["tokens"]
            .as_array()
            .unwrap()
            .iter()
            .map(|token| token.as_str().unwrap())
            .collect();
        assert_eq!(tokens.concat(), text);
        let mut offset = 0;
        for (index, token) in tokens.iter().enumerate() {
            assert_eq!(logprobs["text_offset"][index], json!(offset));
            assert_eq!(
                logprobs["top_logprobs"][index][token],
                logprobs["token_logprobs"][index]
            );
            offset += token.chars().count();
        }
        let parts = stream(address, "/v1/completions", &body).await;
        let streamed: String = parts
            .iter()
            .map(|part| part["choices"][0]["text"].as_str().unwrap())
            .collect();
        assert_eq!(streamed, text);
        // Several prompts, several answers to each, and sixteen tokens where nothing is said.
        let body = json!({"prompt": ["My dinner: ", "My dog is called"], "n": 2, "temperature": 0.7, "seed": 1});
        let answer: Value = post(address, "/v1/completions", body.to_string(), &context)
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(answer["choices"].as_array().unwrap().len(), 4);
        assert!(answer["usage"]["completion_tokens"].as_u64().unwrap() <= 64);
        // Without a context it is the upstream's.
        let response = post(
            address,
            "/v1/completions",
            json!({"prompt": "Hi", "max_tokens": 2}).to_string(),
            &[],
        )
        .await;
        assert_eq!(response.headers()["x-costeer-steered"], "false");
        assert_eq!(response.status(), 200);
    });
}

#[test]
fn usage_comes_last_and_once() {
    run(async {
        let address = default_proxy().await;
        let parts = stream(
            address,
            "/v1/chat/completions",
            &with(json!({"stream_options": {"include_usage": true}, "n": 2})),
        )
        .await;
        let (last, others) = parts.split_last().unwrap();
        assert_eq!(last["choices"], json!([]));
        assert!(last["usage"]["total_tokens"].as_u64().unwrap() > 0);
        assert!(
            others
                .iter()
                .all(|part| part["usage"].is_null() && part["system_fingerprint"].is_string())
        );
    });
}

#[test]
fn a_request_without_logprobs_gets_none() {
    run(async {
        let answered = answer(default_proxy().await, &question(DINNER)).await;
        assert_eq!(answered["choices"][0]["logprobs"], Value::Null);
        let mut body = question(DINNER);
        body["stream"] = json!(true);
        let response = ask(default_proxy().await, &body, &[("x-costeer-context", CONTEXT)]).await;
        let (text, _) = streamed_content(&response.text().await.unwrap());
        assert_eq!(text, content(&answered));
    });
}
