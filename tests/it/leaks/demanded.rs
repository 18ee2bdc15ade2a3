//! Answers that must have a format, and calls of tools: what is private may get into them, as into any answer, and reaches the upstream
//! only as tokens that were picked.

use std::net::SocketAddr;

use costeer::vocabulary::TokenId;
use serde_json::{Value, json};

use super::{FACT, GIVEN, MARKED, NOTE, Watch, said};
use crate::calls::{HERMES, Pair};
use crate::support::{CONTEXT, DINNER, Recording, ask, post, proxy, question, recorder, run, tokenizer, upstream};

const CHAT: &str = "/v1/chat/completions";

/// An object with a text, in which an answer has room for what is private.
fn free(longest: usize) -> Value {
    json!({"type": "object", "properties": {"text": {"type": "string", "maxLength": longest}}, "required": ["text"], "additionalProperties": false})
}

fn format(schema: &Value) -> Value {
    json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}})
}

/// A function of this name as each of the three APIs has it.
fn functions(name: &str, longest: usize) -> [Value; 3] {
    let schema = free(longest);
    [
        json!([{"type": "function", "function": {"name": name, "parameters": schema}}]),
        json!([{"type": "function", "name": name, "parameters": schema}]),
        json!([{"name": name, "input_schema": schema}]),
    ]
}

/// Requests for answers in formats and for calls with a text of at most so many characters, on every route that takes them: paths and
/// bodies. There is room for whole answers, because what was picked of a call that is cut is seen by the upstream alone.
pub fn requests(longest: usize) -> Vec<(&'static str, Value)> {
    let [tools, of_responses, of_messages] = functions("suggest", longest);
    let most = longest + 80;
    let with = |mut body: Value, more: Value| {
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let chat = |more: Value| (CHAT, with(with(question(DINNER), json!({"max_tokens": most})), more));
    let named = json!({"type": "function", "function": {"name": "suggest"}});
    let response = json!({"input": DINNER, "max_output_tokens": most, "temperature": 0});
    let message = json!({"model": "tiny-llm", "messages": [{"role": "user", "content": DINNER}], "max_tokens": most, "temperature": 0});
    let text = json!({"format": {"type": "json_schema", "name": "answer", "schema": free(longest)}});
    vec![
        chat(json!({"response_format": format(&free(longest))})),
        chat(json!({"response_format": format(&free(longest)), "stream": true, "temperature": 0.9, "seed": 5})),
        chat(json!({"guided_regex": "(I|We) [a-z A-Z.]{12,40}"})),
        chat(json!({"tools": tools, "tool_choice": named})),
        chat(json!({"tools": tools, "tool_choice": named, "stream": true})),
        chat(
            json!({"tools": tools, "tool_choice": "required", "parallel_tool_calls": false, "n": 2, "temperature": 0.8, "seed": 6}),
        ),
        ("/v1/responses", with(response.clone(), json!({"text": text}))),
        (
            "/v1/responses",
            with(
                response,
                json!({"tools": of_responses, "tool_choice": "required", "parallel_tool_calls": false, "stream": true}),
            ),
        ),
        (
            "/v1/messages",
            with(
                message.clone(),
                json!({"tools": of_messages, "tool_choice": {"type": "tool", "name": "suggest"}}),
            ),
        ),
        (
            "/v1/messages",
            with(
                message,
                json!({"tools": of_messages, "tool_choice": {"type": "any", "disable_parallel_tool_use": true}, "stream": true}),
            ),
        ),
    ]
}

/// The texts of the ids that an upstream was asked to go on with.
fn prompts(requests: &[String]) -> Vec<String> {
    let llm = tokenizer("llm");
    let bodies = requests
        .iter()
        .filter(|request| request.starts_with("POST /v1/completions"));
    let bodies = bodies.map(|request| serde_json::from_str::<Value>(request.lines().last().unwrap()).unwrap());
    let text = |ids: &Value| {
        let ids = ids.as_array().unwrap().iter();
        let bytes = ids.flat_map(|id| llm.bytes().get(TokenId(id.as_u64().unwrap() as u32)).to_vec());
        String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
    };
    bodies.map(|body| text(&body["prompt"])).collect()
}

/// A proxy that knows its upstream already, and what it asks of that from now on.
async fn warm(settings: &[(&'static str, &str)]) -> (SocketAddr, Recording) {
    let (recorded, recording) = recorder(upstream().await).await;
    let (_, address) = proxy(recorded, settings).await;
    let response = ask(address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
    assert_eq!(response.status(), 200);
    (address, recording)
}

#[test]
fn an_upstream_reads_the_question_and_the_beginning_of_the_answer() {
    run(async {
        let mut told = 0;
        // What suits the shipped pair, so that answers have something of the notes.
        let settings = [
            ("upstream.top_k", "32"),
            ("steering.strength", "1"),
            ("steering.delta_floor", "0.0001"),
        ];
        let (address, recording) = warm(&settings).await;
        for (path, body) in requests(120) {
            // One answer at a time, so that its tokens can be told from another's.
            if body["n"] == 2 {
                continue;
            }
            let before = recording.requests().len();
            let response = post(address, path, body.to_string(), &[("x-costeer-context", CONTEXT)]).await;
            assert_eq!(response.headers()["x-costeer-steered"], "true", "{body}");
            let (status, answer, whole) = said(response).await;
            assert_eq!(status, 200, "{whole}");
            let requests = recording.requests().split_off(before);
            let prompts = prompts(&requests);
            let question = prompts.iter().min_by_key(|prompt| prompt.len()).unwrap();
            assert!(question.contains(DINNER) && !question.contains("Ziggy"), "{question}");
            for prompt in &prompts {
                let begun = prompt
                    .strip_prefix(question.as_str())
                    .expect("the question comes first");
                let (head, text) = begun.split_once("\"text\": \"").unwrap_or(("", begun));
                let text = text.trim_end_matches([']', '}', '"']);
                // A list with a name comes to the client apart, and a call's arguments are its own JSON.
                let is_known = ["{", "[{\"name\": \"suggest\", \"parameters\": {", ""].contains(&head);
                let is_head = "[{\"name\": \"suggest\", \"parameters\": {\"text\": \"".contains(text);
                assert!(
                    is_known && (is_head || answer.contains(text)),
                    "{begun:?} of {answer:?}"
                );
                told += usize::from(begun.contains("Ziggy"));
            }
            for request in requests {
                for name in [
                    "x-costeer",
                    "\"costeer\"",
                    "response_format",
                    "guided",
                    "suggest\"",
                    "maxLength",
                ] {
                    assert!(!request.to_lowercase().contains(name), "{request}");
                }
            }
        }
        // It says of the notes what the answers say.
        assert!(told > 3, "{told}");
    });
}

/// Tokens of the prompt that an upstream was asked to go on with.
fn length(body: &str) -> usize {
    let body: Value = serde_json::from_str(body).unwrap();
    body["prompt"].as_array().unwrap().len()
}

#[test]
fn what_a_format_asks_for_says_nothing_of_the_notes() {
    run(async {
        let mut same = 0;
        // The number of positions that are asked for at once goes by the clock otherwise.
        let settings = [
            ("upstream.top_k", "3"),
            ("upstream.lookahead", "1"),
            ("local.block", "1"),
        ];
        let (address, recording) = warm(&settings).await;
        let digits = json!({"type": "object", "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 9}, "b": {"enum": ["soup", "rice"]}}, "required": ["a", "b"]});
        for more in [
            json!({"response_format": format(&digits)}),
            json!({"guided_choice": ["soup", "rice", "leeks with salt"]}),
            json!({"guided_regex": "[0-9]{3}-(a|b)"}),
        ] {
            let mut body = question(DINNER);
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let mut seen: Vec<(String, Vec<String>)> = Vec::new();
            for context in [CONTEXT, GIVEN, MARKED, FACT, NOTE, "I eat rice alone."] {
                let before = recording.requests().len();
                let response = ask(address, &body, &[("x-costeer-context", context)]).await;
                assert_eq!(response.headers()["x-costeer-steered"], "true");
                let (_, answer, _) = said(response).await;
                let requests = recording.requests().split_off(before);
                let bodies = requests
                    .iter()
                    .map(|request| request.lines().last().unwrap().to_owned());
                let mut bodies: Vec<String> = bodies.collect();
                bodies.sort();
                seen.push((answer, bodies));
            }
            // Where the format leaves no choice about the first token, the question may be given up before it is sent. It is the same anyway.
            let shortest = seen
                .iter()
                .flat_map(|(_, bodies)| bodies)
                .map(|body| length(body))
                .min()
                .unwrap();
            for (_, bodies) in &mut seen {
                bodies.retain(|body| length(body) > shortest);
            }
            for (index, (answer, bodies)) in seen.iter().enumerate() {
                if let Some((_, others)) = seen[..index].iter().find(|(other, _)| other == answer) {
                    assert_eq!(bodies, others, "{answer}");
                    same += 1;
                }
            }
        }
        assert!(same >= 4, "{same} answers were the same with other notes");
    });
}

/// What the upstream of a model that calls two tools was sent, and the calls.
async fn calling(body: &Value, settings: &[(&'static str, &str)]) -> (Vec<String>, String) {
    let pair = Pair::calling(&HERMES).await;
    let (recorded, recording) = recorder(pair.upstream).await;
    let address: SocketAddr = pair.proxy(recorded, settings).await;
    let response = ask(address, body, &[("x-costeer-context", GIVEN)]).await;
    assert_eq!(response.headers()["x-costeer-steered"], "true", "{body}");
    let (status, answer, whole) = said(response).await;
    assert_eq!(status, 200, "{whole}");
    (recording.requests(), answer)
}

#[test]
fn calls_that_a_model_makes_by_itself_tell_nothing_but_their_tokens() {
    run(async {
        let marked = format!("<private>{MARKED}</private>Tomato soup.");
        let history = json!([
            {"role": "user", "content": format!("{DINNER}<private>{MARKED}</private>")},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "find", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": marked},
            {"role": "user", "content": DINNER},
        ]);
        for mut body in [
            json!({"temperature": 0}),
            json!({"temperature": 0.9, "seed": 3, "stream": true}),
        ] {
            body["messages"] = history.clone();
            body["tools"] = crate::calls::tools();
            body["max_tokens"] = json!(200);
            for settings in [
                [("steering.tools", "all")],
                [("steering.tools", "prose")],
                [("upstream.lookahead", "1")],
            ] {
                let (requests, answer) = calling(&body, &settings).await;
                let mut watch = Watch::new(&[GIVEN, MARKED]);
                watch.allow(&answer);
                assert!(requests.len() > 2);
                for request in &requests {
                    assert_eq!(watch.leak(request), None, "{settings:?}: {request}");
                }
            }
        }
    });
}
