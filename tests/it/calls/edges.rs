//! Calls beside stop strings, log-probabilities and blanks, and calls that are written carelessly.

use serde_json::{Value, json};

use super::{CODER, Dialect, HARMONY, HERMES, Pair, body, both, called, steered, streamed};
use crate::support::{CONTEXT, ask, content, events, post, run};

/// What the server is made to say is what is picked.
const PLAIN: [(&str, &str); 1] = [("steering.strength", "0")];

#[test]
fn a_stop_behind_a_call_leaves_the_call() {
    run(async {
        let pair = Pair::calling(&HERMES).await;
        let address = pair.proxy(pair.upstream, &[]).await;
        let whole = content(&steered(address, &body()).await);
        let word = whole.split_whitespace().nth(2).unwrap();
        let mut stopped = body();
        stopped["stop"] = json!([word, "\"what\""]);
        let answer = steered(address, &stopped).await;
        let choice = &answer["choices"][0];
        assert_eq!(choice["finish_reason"], "tool_calls", "{answer}");
        assert_eq!(called(&choice["message"]["tool_calls"]), both());
        assert_eq!(content(&answer), whole[..whole.find(word).unwrap()]);
        let (said, calls, finish) = streamed(address, stopped).await;
        assert_eq!(
            (said, called(&calls), finish),
            (content(&answer), both(), json!("tool_calls"))
        );

        let message = json!({
            "messages": [{"role": "user", "content": "Can you suggest a dinner?"}], "max_tokens": 400, "temperature": 0,
            "stop_sequences": [word],
            "tools": [{"name": "find", "input_schema": {"type": "object"}}, {"name": "shop", "input_schema": {"type": "object"}}],
        });
        let context = [("x-costeer-context", CONTEXT)];
        let answer = post(address, "/v1/messages", message.to_string(), &context).await;
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(
            (&answer["stop_reason"], &answer["stop_sequence"]),
            (&json!("tool_use"), &Value::Null),
            "{answer}"
        );
    });
}

#[test]
fn what_is_held_back_for_a_stop_comes_before_the_call() {
    run(async {
        let pair = Pair::new(&HERMES, &["Look here: ab", HERMES.calls, "c<|im_end|>"].concat()).await;
        let address = pair.proxy(pair.upstream, &PLAIN).await;
        let mut body = body();
        body["stop"] = json!(["abc", "here: ab<"]);
        body["stream"] = json!(true);
        let response = ask(address, &body, &[("x-costeer-context", CONTEXT)]).await;
        let (mut before, mut after, mut has_called) = (String::new(), String::new(), false);
        for event in events(&response.text().await.unwrap()) {
            let Ok(chunk) = serde_json::from_str::<Value>(&event) else {
                continue;
            };
            let delta = &chunk["choices"][0]["delta"];
            let said = delta["content"].as_str().unwrap_or_default();
            if has_called { &mut after } else { &mut before }.push_str(said);
            has_called |= delta["tool_calls"].is_array();
        }
        assert_eq!(
            (before.as_str(), after.as_str(), has_called),
            ("Look here: ab", "c", true)
        );
    });
}

#[test]
fn the_end_of_marks_that_never_began_is_no_text() {
    run(async {
        let careless = CODER.calls.replace("<tool_call>\n", "");
        for (tokens, special) in [
            (&[][..], false),
            (&["<tool_call>", "</tool_call>"], false),
            (&["<tool_call>", "</tool_call>"], true),
        ] {
            let dialect = Dialect {
                tokens,
                special,
                ..CODER
            };
            for (end, rest) in [("<|im_end|>", ""), (" So be it.<|im_end|>", " So be it.")] {
                let pair = Pair::new(&dialect, &[&careless, end].concat()).await;
                for lookahead in ["1", "adaptive"] {
                    let settings = [PLAIN[0], ("upstream.lookahead", lookahead)];
                    let address = pair.proxy(pair.upstream, &settings).await;
                    let answer = steered(address, &body()).await;
                    let choice = &answer["choices"][0];
                    assert_eq!(called(&choice["message"]["tool_calls"]), both(), "{answer}");
                    let said = choice["message"]["content"].as_str().unwrap_or_default();
                    assert_eq!(said.trim(), rest.trim(), "{special} at {lookahead}: {answer}");
                }
            }
        }
    });
}

#[test]
fn items_and_blocks_are_those_that_say_something() {
    run(async {
        let said = ["\n\n", HERMES.calls, "\n<|im_end|>"].concat();
        let pair = Pair::new(&HERMES, &said).await;
        let address = pair.proxy(pair.upstream, &PLAIN).await;
        let context = [("x-costeer-context", CONTEXT)];
        let tool =
            |name: &str| json!({"type": "function", "name": name, "parameters": {"type": "object", "properties": {}}});
        for (choice, count) in [
            (json!("auto"), 2),
            (json!({"type": "function", "name": "shop"}), 1),
            (json!("required"), 1),
        ] {
            let mut body = json!({
                "input": "Can you suggest a dinner?", "temperature": 0, "max_output_tokens": 400, "stream": true,
                "include": ["message.output_text.logprobs"], "top_logprobs": 2, "tools": [tool("find"), tool("shop")],
                "tool_choice": choice, "parallel_tool_calls": choice == "auto",
            });
            let stream = post(address, "/v1/responses", body.to_string(), &context).await;
            let stream = stream.text().await.unwrap();
            let parts: Vec<Value> = events(&stream)
                .iter()
                .map(|data| serde_json::from_str(data).unwrap())
                .collect();
            let added = parts.iter().filter(|part| part["type"] == "response.output_item.added");
            let kinds: Vec<&str> = added.map(|part| part["item"]["type"].as_str().unwrap()).collect();
            assert_eq!(kinds, vec!["function_call"; count], "{stream}");
            body["stream"] = json!(false);
            let whole = post(address, "/v1/responses", body.to_string(), &context).await;
            let whole: Value = whole.json().await.unwrap();
            assert_eq!(whole["output"].as_array().unwrap().len(), count, "{whole}");
        }
        let message = json!({
            "messages": [{"role": "user", "content": "Can you suggest a dinner?"}], "max_tokens": 400, "temperature": 0, "stream": true,
            "tools": [{"name": "find", "input_schema": {"type": "object"}}, {"name": "shop", "input_schema": {"type": "object"}}],
        });
        let stream = post(address, "/v1/messages", message.to_string(), &context).await;
        let stream = stream.text().await.unwrap();
        let parts = events(&stream);
        let parts = parts.iter().map(|data| serde_json::from_str::<Value>(data).unwrap());
        let begun = parts.filter(|part| part["type"] == "content_block_start");
        let kinds: Vec<String> = begun
            .map(|part| part["content_block"]["type"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(kinds, ["tool_use", "tool_use"], "{stream}");
    });
}

#[test]
fn what_is_thought_between_calls_is_no_content() {
    run(async {
        let (find, shop) = HARMONY.calls.split_once("<|end|>").unwrap();
        let thought = "<|start|>assistant<|channel|>analysis<|message|>Now the other.<|end|>";
        let said = [find, "<|end|>", thought, shop, "<|im_end|>"].concat();
        let ended = [find, "<|end|>", thought.trim_end_matches("<|end|>"), "<|im_end|>"].concat();
        let thinks = "<|channel|>commentary functions. <|channel|>analysis<|message|> <|channel|>final<|message|>";
        for signs in [HARMONY.signs, thinks] {
            for (tokens, special) in [(&["<|message|>", "<|end|>"][..], true), (&[], false)] {
                let dialect = Dialect {
                    signs,
                    tokens,
                    special,
                    ..HARMONY
                };
                for (said, count) in [(&said, 2), (&ended, 1)] {
                    let pair = Pair::new(&dialect, said).await;
                    let address = pair.proxy(pair.upstream, &PLAIN).await;
                    let answer = steered(address, &body()).await;
                    let message = &answer["choices"][0]["message"];
                    assert_eq!(called(&message["tool_calls"]), both()[..count], "{answer}");
                    assert_eq!(message["content"], Value::Null, "{signs}, {special}: {answer}");
                    assert_eq!(message["reasoning"], "Now the other.", "{signs}, {special}: {answer}");
                }
            }
        }
    });
}
