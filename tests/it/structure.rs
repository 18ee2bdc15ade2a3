//! Answers that must have a format: valid whatever the models think, and the same whichever way the positions arrive.

use std::net::SocketAddr;
use std::sync::Arc;

use costeer::context::PrivateContext;
use costeer::decode::{Finish, Report};
use costeer::http::chat_request;
use costeer::service::Service;
use serde_json::{Value, json};

use crate::lookahead::with;
use crate::support::{
    CONTEXT, DINNER, ask, content, default_proxy, events, post, proxy, question, recorder, run, streamed_content,
    upstream,
};

/// Nested, with an enumeration, a list, a pattern and a reference.
fn menu() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["dish", "course", "parts", "code", "cook"],
        "properties": {
            "dish": {"type": "string", "maxLength": 24},
            "course": {"enum": ["starter", "main", "dessert"]},
            "parts": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"$ref": "#/$defs/part"}},
            "code": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{2}$"},
            "cook": {"type": "object", "additionalProperties": false, "properties": {"hot": {"type": "boolean"}}, "required": ["hot"]},
        },
        "$defs": {"part": {
            "type": "object",
            "additionalProperties": false,
            "required": ["name", "grams"],
            "properties": {"name": {"type": "string", "maxLength": 10}, "grams": {"type": "integer", "minimum": 1, "maximum": 900}},
        }},
    })
}

/// Whether a text is valid under [`menu`].
fn is_menu(text: &str) -> bool {
    let Ok(Value::Object(menu)) = serde_json::from_str(text) else {
        return false;
    };
    let has_names = |value: &Value, names: &[&str]| {
        let fields = value.as_object();
        fields.is_some_and(|fields| fields.len() == names.len() && names.iter().all(|name| fields.contains_key(*name)))
    };
    let short = |value: &Value, most: usize| value.as_str().is_some_and(|text| text.chars().count() <= most);
    let part = |part: &Value| {
        has_names(part, &["name", "grams"])
            && short(&part["name"], 10)
            && part["grams"].as_i64().is_some_and(|grams| (1..=900).contains(&grams))
    };
    let code = menu["code"].as_str().unwrap_or_default().as_bytes().to_vec();
    let is_code = matches!(code.as_slice(), [a, b, b'-', c, d]
        if a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit());
    has_names(
        &Value::Object(menu.clone()),
        &["dish", "course", "parts", "code", "cook"],
    ) && short(&menu["dish"], 24)
        && ["starter", "main", "dessert"].contains(&menu["course"].as_str().unwrap_or_default())
        && menu["parts"]
            .as_array()
            .is_some_and(|parts| (1..=2).contains(&parts.len()) && parts.iter().all(part))
        && is_code
        && has_names(&menu["cook"], &["hot"])
        && menu["cook"]["hot"].is_boolean()
}

fn asking(fields: Value) -> Value {
    let mut body = question(DINNER);
    body["max_tokens"] = json!(400);
    for (field, value) in fields.as_object().unwrap() {
        body[field] = value.clone();
    }
    body
}

fn menu_format() -> Value {
    json!({"type": "json_schema", "json_schema": {"name": "menu", "strict": true, "schema": menu()}})
}

/// The tokens and the text of an answer, and what it cost.
async fn answered(service: &Arc<Service>, body: &Value) -> (Vec<u32>, String, Report) {
    let request = chat_request(body.as_object().unwrap()).ok().unwrap();
    let context = PrivateContext::new(CONTEXT.to_owned());
    let mut session = service.open_session(&request, &context).await.unwrap();
    let (mut tokens, mut text, mut finish) = (Vec::new(), String::new(), None);
    while let Some(event) = session.next().await.unwrap() {
        tokens.push(event.picked.token.0);
        text.push_str(&event.text);
        finish = event.finish;
    }
    assert_eq!(finish, Some(Finish::Stop), "{text}");
    (tokens, text, session.report().clone())
}

#[test]
fn answers_are_valid_and_the_same_whatever_the_lookahead() {
    run(async {
        for top_k in ["5", "20"] {
            for temperature in [0.0, 0.9] {
                let body = asking(json!({"response_format": menu_format(), "temperature": temperature, "seed": 11}));
                let one = with(&[("upstream.lookahead", "1"), ("upstream.top_k", top_k)]).await;
                let (tokens, text, report) = answered(&one, &body).await;
                assert!(is_menu(&text), "{text}");
                assert!(report.forced > 20, "{report:?}");
                // Where there is no choice, nobody is asked. The first request travels before that is known.
                assert!(
                    report.upstream_requests <= report.positions - report.forced + 1,
                    "{report:?}"
                );
                for settings in [
                    [("upstream.lookahead", "4"), ("local.block", "1")],
                    [("upstream.lookahead", "16"), ("local.block", "8")],
                    [("upstream.lookahead", "adaptive"), ("local.block", "4")],
                ] {
                    let service = with(&[settings[0], settings[1], ("upstream.top_k", top_k)]).await;
                    let (others, other, _) = answered(&service, &body).await;
                    assert_eq!(others, tokens, "{settings:?}: {other} is not {text}");
                }
            }
        }
    });
}

async fn answer(address: SocketAddr, body: &Value) -> Value {
    let response = ask(address, body, &[("x-costeer-context", CONTEXT)]).await;
    assert_eq!(response.headers()["x-costeer-steered"], "true");
    response.json().await.unwrap()
}

#[test]
fn clients_get_what_they_ask_for_streamed_or_not() {
    run(async {
        let address = default_proxy().await;
        let body = asking(
            json!({"response_format": menu_format(), "n": 2, "temperature": 0.8, "seed": 3, "logprobs": true, "top_logprobs": 3}),
        );
        let whole = answer(address, &body).await;
        for choice in whole["choices"].as_array().unwrap() {
            assert_eq!(choice["finish_reason"], "stop");
            assert!(is_menu(choice["message"]["content"].as_str().unwrap()), "{choice}");
            let logprobs = choice["logprobs"]["content"].as_array().unwrap();
            for one in logprobs {
                let probability = one["logprob"].as_f64().unwrap().exp();
                assert!((0.0..=1.0 + 1e-9).contains(&probability), "{one}");
            }
        }
        let (mut alone, mut streamed) = (body.clone(), body.clone());
        alone["n"] = json!(1);
        assert_eq!(content(&answer(address, &alone).await), content(&whole));
        streamed["n"] = json!(1);
        streamed["stream"] = json!(true);
        let response = ask(address, &streamed, &[("x-costeer-context", CONTEXT)]).await;
        let (text, last) = streamed_content(&response.text().await.unwrap());
        assert_eq!(text, content(&whole));
        assert_eq!(last["choices"][0]["finish_reason"], "stop");
    });
}

#[test]
fn each_way_of_asking_constrains() {
    run(async {
        let address = default_proxy().await;
        let code = |text: &str| {
            text.len() == 4 && text[..2].bytes().all(|byte| byte.is_ascii_lowercase()) && text.ends_with("-7")
        };
        let chosen = |text: &str| ["soup", "salad with nuts"].contains(&text);
        let object = |text: &str| serde_json::from_str::<Value>(text).is_ok_and(|value| value["a"] == json!([]));
        let small = json!({"type": "object", "required": ["a"], "properties": {"a": {"const": []}}, "additionalProperties": false});
        let gbnf = "root ::= word \"-\" seven\nword ::= [a-z]{2} # two letters\nseven ::= \"7\"";
        type Judge = fn(&str) -> bool;
        // Nothing is said of other properties, and there are none.
        let closed = |text: &str| text == "{\"a\": []}";
        let open = json!({"type": "object", "required": ["a"], "properties": {"a": {"const": []}}});
        let cases: [(Value, Judge); 10] = [
            (json!({"guided_json": open}), closed),
            (json!({"guided_regex": "^[a-z]{2}-7$"}), code),
            (json!({"structured_outputs": {"regex": "[a-z]{2}-7"}}), code),
            (json!({"grammar": gbnf}), code),
            (json!({"guided_grammar": "start: /[a-z]{2}/ \"-7\""}), code),
            (json!({"guided_choice": ["soup", "salad with nuts"]}), chosen),
            (
                json!({"structured_outputs": {"choice": ["soup", "salad with nuts"]}}),
                chosen,
            ),
            (json!({"guided_json": small.to_string()}), object),
            (json!({"json_schema": small}), object),
            (
                json!({"response_format": {"type": "json_object", "schema": small}}),
                object,
            ),
        ];
        for (fields, holds) in cases {
            let text = content(&answer(address, &asking(fields.clone())).await);
            assert!(holds(&text), "{fields}: {text}");
        }
        // A text that is gone on with, too.
        let body = json!({"prompt": "The best soup is", "max_tokens": 50, "guided_choice": ["hot", "cold"]});
        let response = post(
            address,
            "/v1/completions",
            body.to_string(),
            &[("x-costeer-context", CONTEXT)],
        )
        .await;
        let answer: Value = response.json().await.unwrap();
        assert!(
            ["hot", "cold"].contains(&answer["choices"][0]["text"].as_str().unwrap()),
            "{answer}"
        );
    });
}

#[test]
fn what_a_client_asks_of_single_tokens_applies_to_those_that_are_allowed() {
    run(async {
        let address = default_proxy().await;
        let llm = crate::support::tokenizer("llm");
        // Everything that could begin the first choice is pushed down, and the other one comes.
        let first = content(&answer(address, &asking(json!({"guided_choice": ["soup", "rice"]}))).await);
        let begins: serde_json::Map<String, Value> = (0..llm.selectable().len() as u32)
            .filter(|id| {
                let bytes = llm.bytes().get(costeer::vocabulary::TokenId(*id));
                !bytes.is_empty() && first.as_bytes().starts_with(bytes)
            })
            .map(|id| (id.to_string(), json!(-100)))
            .collect();
        let other = content(
            &answer(
                address,
                &asking(json!({"guided_choice": ["soup", "rice"], "logit_bias": begins})),
            )
            .await,
        );
        assert_ne!(first, other);
        // A stop string ends the answer where it comes.
        let cut = answer(
            address,
            &asking(json!({"guided_choice": ["soup", "rice"], "stop": [&first[2..]]})),
        )
        .await;
        assert_eq!(content(&cut), first[..2]);
    });
}

#[test]
fn what_cannot_be_done_is_refused_by_its_name_and_place() {
    run(async {
        let address = default_proxy().await;
        for (fields, param, words) in [
            (json!({"guided_regex": "("}), "guided_regex", "unclosed group"),
            (json!({"guided_choice": []}), "guided_choice", "choices"),
            (json!({"grammar": "root ::= ("}), "grammar", "line 1"),
            (
                json!({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {
                    "type": "object", "properties": {"a": {"type": "array", "uniqueItems": true}}}}}}),
                "response_format.json_schema.schema",
                "at properties.a: JSON schema's \"uniqueItems\"",
            ),
            (
                json!({"guided_regex": "a", "guided_choice": ["b"]}),
                "guided_choice",
                "guided_regex says already",
            ),
            (
                json!({"response_format": {"type": "json_schema"}}),
                "response_format.schema",
                "no schema",
            ),
        ] {
            let response = ask(address, &asking(fields.clone()), &[("x-costeer-context", CONTEXT)]).await;
            assert_eq!(response.status(), 400, "{fields}");
            let error: Value = response.json().await.unwrap();
            let (named, message) = (
                error["error"]["param"].as_str().unwrap(),
                error["error"]["message"].as_str().unwrap(),
            );
            assert!(named == param && message.contains(words), "{error}");
            assert!(!message.contains("Ziggy"), "{error}");
        }
    });
}

#[test]
fn the_upstream_hears_of_picked_tokens_alone() {
    run(async {
        let (address, recording) = recorder(upstream().await).await;
        let (_, proxy) = proxy(address, &[("upstream.top_k", "5")]).await;
        let text = content(&answer(proxy, &asking(json!({"response_format": menu_format()}))).await);
        assert!(is_menu(&text), "{text}");
        let requests = recording.requests();
        assert!(!requests.is_empty());
        for request in requests {
            for word in ["Ziggy", "vegan", "grams", "response_format", "starter"] {
                assert!(!request.contains(word), "{request}");
            }
        }
    });
}

#[test]
fn a_trace_shows_what_was_forced() {
    run(async {
        let address = default_proxy().await;
        let mut body = asking(json!({"guided_choice": ["soup of the day"], "stream": true}));
        body["costeer"] = json!({"trace": true});
        let response = ask(address, &body, &[("x-costeer-context", CONTEXT)]).await;
        let text = response.text().await.unwrap();
        let (said, _) = streamed_content(&text);
        assert_eq!(said, "soup of the day");
        assert!(!events(&text).is_empty());
    });
}

#[test]
fn an_answer_that_has_to_call_calls() {
    run(async {
        let address = default_proxy().await;
        let tool = |name: &str, values: Value| {
            let parameters = json!({"type": "object", "required": ["size"], "additionalProperties": false, "properties": {"size": {"enum": values}}});
            json!({"type": "function", "function": {"name": name, "parameters": parameters}})
        };
        let tools = json!([tool("soup", json!(["small", "big"])), tool("salad", json!([1, 2]))]);
        let named = json!({"type": "function", "function": {"name": "soup"}});
        for (choice, any) in [(named, false), (json!("required"), true)] {
            let body = asking(json!({"tools": tools, "tool_choice": choice, "parallel_tool_calls": false}));
            let whole = answer(address, &body).await;
            let one = &whole["choices"][0];
            assert_eq!(one["finish_reason"], "tool_calls", "{whole}");
            assert!(one["message"]["content"].is_null(), "{whole}");
            let calls = one["message"]["tool_calls"].as_array().unwrap();
            let [call] = calls.as_slice() else {
                unreachable!("{whole}")
            };
            let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
            let sizes = match call["function"]["name"].as_str().unwrap() {
                "soup" => json!(["small", "big"]),
                "salad" if any => json!([1, 2]),
                other => unreachable!("{other}"),
            };
            assert!(sizes.as_array().unwrap().contains(&arguments["size"]), "{whole}");
        }
        let missing = json!({"type": "function", "function": {"name": "tea"}});
        let body = asking(json!({"tools": tools, "tool_choice": missing}));
        let refused = ask(address, &body, &[("x-costeer-context", CONTEXT)]).await;
        assert_eq!(refused.status(), 400);
    });
}
