//! The promise, tried from all sides: no twelve characters of anything private reach an upstream, a log, the metrics or an error,
//! unless picked tokens spelled them. What the upstream is sent in token ids is read as the text they stand for.

mod demanded;
mod slips;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use costeer::vocabulary::{TokenId, Tokenizer};
use serde_json::{Value, json};

use crate::conformity::real_upstream;
use crate::drivers::{Host, chat_host, sglang};
use crate::support::{
    DINNER, Folder, Mortal, ask, costeer, metrics_of, post, proxy, question, recorder, run, serve, tokenizer, upstream,
};
use crate::thinking::{BEGUN, HARMONY, Pair, TAGS};

/// Said in headers and bodies.
const GIVEN: &str = "Account 4711-0815 of Wilhelmina Vandersmith, blood group zero, owes 12345 crowns. I am vegan.";
/// Marked in a message.
const MARKED: &str = "My therapist Bartholomew says that I should avoid the harbour. My dog is called Ziggy.";
/// What a profile says and has written.
const FACT: &str = "Celebrated the thirtieth wedding anniversary in Kiruna with fourteen guests.";
const NOTE: &str = "For dinner on the night of the burglary we hid the silver spoons behind the oven.";

const WINDOW: usize = 12;

/// Everything that must not be seen, and what may be seen although it is part of it.
pub struct Watch {
    private: Vec<String>,
    allowed: String,
    tokenizer: Tokenizer,
}

impl Watch {
    pub fn new(private: &[&str]) -> Self {
        let mut private: Vec<String> = private.iter().map(|text| text.to_lowercase()).collect();
        private.push(encoded(GIVEN).to_lowercase());
        Self {
            private,
            // Every question, and the message that both branches get.
            allowed: format!("{DINNER} you are a helpful assistant.").to_lowercase(),
            tokenizer: tokenizer("llm"),
        }
    }

    /// Picked tokens are public.
    pub fn allow(&mut self, answer: &str) {
        self.allowed.push_str(&answer.to_lowercase());
    }

    /// The first name of ours, or private piece, in what an upstream is sent.
    pub fn leak(&self, seen: &str) -> Option<String> {
        let names = ["x-costeer", "\"costeer\"", "private>"];
        let lower = seen.to_lowercase();
        let name = names.into_iter().find(|name| lower.contains(name));
        name.map(str::to_owned).or_else(|| self.piece(seen))
    }

    /// The first private piece in a text, if there is one.
    fn piece(&self, seen: &str) -> Option<String> {
        let seen = self.readable(seen).to_lowercase();
        self.private.iter().find_map(|text| {
            let characters: Vec<char> = text.chars().collect();
            let windows = characters
                .windows(WINDOW)
                .map(|window| window.iter().collect::<String>());
            windows
                .into_iter()
                .find(|window| seen.contains(window) && !self.allowed.contains(window))
        })
    }

    /// The text, and behind it what all lists of ids in its JSON stand for.
    fn readable(&self, seen: &str) -> String {
        let mut readable = seen.to_owned();
        let body = seen
            .find('{')
            .and_then(|start| serde_json::Deserializer::from_str(&seen[start..]).into_iter().next());
        if let Some(Ok(body)) = body.or_else(|| seen.lines().last().map(serde_json::from_str)) {
            self.spell(&body, &mut readable);
        }
        if let Some(Ok(body)) = seen.lines().last().map(serde_json::from_str::<Value>) {
            self.spell(&body, &mut readable);
        }
        readable
    }

    fn spell(&self, value: &Value, into: &mut String) {
        match value {
            Value::Array(values) => {
                let ids = values
                    .iter()
                    .filter_map(|id| u32::try_from(id.as_u64()?).ok().map(TokenId));
                let bytes: Vec<u8> = ids.flat_map(|id| self.tokenizer.bytes().get(id).to_vec()).collect();
                into.push('\n');
                into.push_str(&String::from_utf8_lossy(&bytes));
                values.iter().for_each(|value| self.spell(value, into));
            }
            Value::Object(fields) => fields.values().for_each(|value| self.spell(value, into)),
            _ => {}
        }
    }
}

fn encoded(text: &str) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text)
}

/// The text of an answer in whatever shape, for what the tokens spelled; and all of it where it is an error.
async fn said(response: reqwest::Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let whole = response.text().await.unwrap_or_default();
    let bodies: Vec<Value> = whole
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ").unwrap_or(line)).ok())
        .collect();
    let mut text = String::new();
    for choice in bodies
        .iter()
        .flat_map(|body| body["choices"].as_array().cloned().unwrap_or_default())
    {
        for path in ["/message/content", "/delta/content", "/text"] {
            text.push_str(choice.pointer(path).and_then(Value::as_str).unwrap_or_default());
        }
        for path in ["/message/tool_calls", "/delta/tool_calls"] {
            let calls = choice.pointer(path).and_then(Value::as_array).into_iter().flatten();
            for call in calls {
                text.push_str(call["function"]["arguments"].as_str().unwrap_or_default());
            }
        }
        text.push('\n');
    }
    for body in &bodies {
        let items = body["output"].as_array().into_iter().flatten();
        let blocks = body["content"].as_array().into_iter().flatten();
        for call in items.clone().chain(blocks.clone()) {
            text.push_str(call["arguments"].as_str().unwrap_or_default());
            if call["input"].is_object() {
                text.push_str(&call["input"].to_string());
            }
        }
        for part in items
            .flat_map(|item| item["content"].as_array().into_iter().flatten())
            .chain(blocks)
        {
            text.push_str(part["text"].as_str().unwrap_or_default());
        }
        for path in ["/delta", "/delta/text", "/delta/partial_json"] {
            text.push_str(body.pointer(path).and_then(Value::as_str).unwrap_or_default());
        }
    }
    // Pieces of a stream belong together.
    (status, text.replace('\n', ""), whole)
}

/// The thoughts in an answer of whatever shape, which nothing private may get into, picked or not.
fn thought(whole: &str) -> String {
    let bodies = whole.lines().map(|line| line.strip_prefix("data: ").unwrap_or(line));
    let bodies: Vec<Value> = bodies.filter_map(|line| serde_json::from_str(line).ok()).collect();
    let choices = bodies
        .iter()
        .flat_map(|body| body["choices"].as_array().cloned().unwrap_or_default());
    let pieces = choices.flat_map(|choice| {
        ["/message/reasoning", "/delta/reasoning"]
            .map(|path| choice.pointer(path).and_then(Value::as_str).map(str::to_owned))
    });
    pieces.flatten().collect()
}

/// Sends requests of every kind with everything private that there is. Gives the answers, and what errors and thoughts said.
async fn exercise(address: SocketAddr, with_profile: bool, max_tokens: usize) -> (Vec<String>, Vec<String>) {
    let base64 = encoded(GIVEN);
    let given = [("x-costeer-context", GIVEN)];
    let mut plain = question(DINNER);
    plain["max_tokens"] = json!(max_tokens);
    let with = |changes: &[(&str, Value)]| {
        let mut body = plain.clone();
        changes.iter().for_each(|(field, value)| body[*field] = value.clone());
        body
    };
    let in_body = json!({"context": GIVEN, "strength": 1.5, "trace": true});
    let marked = json!([{"role": "user", "content": format!("{DINNER}<private>{MARKED}</private>")}]);
    let parts = json!([{"role": "user", "content": [{"type": "text", "text": format!("<PRIVATE>{MARKED}</Private>{DINNER}")}]}]);
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let image = json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}, {"type": "text", "text": format!("<private>{MARKED}</private>")}]}]);
    let prompt = json!(format!("<private>{MARKED}</private>Dinner is"));
    let chat = "/v1/chat/completions";
    let mut requests: Vec<(&str, Value, Headers)> = vec![
        (chat, plain.clone(), &given),
        (chat, with(&[("costeer", in_body.clone())]), &[]),
        (
            chat,
            with(&[
                ("costeer", in_body.clone()),
                ("stream", json!(true)),
                ("temperature", json!(0.9)),
            ]),
            &[],
        ),
        (chat, with(&[("messages", marked.clone())]), &[]),
        (chat, with(&[("messages", parts), ("stream", json!(true))]), &given),
        (
            chat,
            with(&[
                ("n", json!(2)),
                ("temperature", json!(0.8)),
                ("logprobs", json!(true)),
                ("top_logprobs", json!(3)),
            ]),
            &given,
        ),
        (chat, with(&[("logit_bias", json!({"30": 5}))]), &given),
        (
            chat,
            with(&[("tools", tools.clone()), ("messages", marked.clone())]),
            &given,
        ),
        (chat, with(&[("messages", image)]), &given),
        (chat, with(&[("temperature", json!("hot"))]), &given),
        (chat, with(&[("messages", json!([]))]), &given),
        (chat, with(&[("costeer", json!({"contxt": GIVEN}))]), &[]),
        (chat, with(&[("costeer", json!(GIVEN))]), &[]),
        (chat, with(&[("Costeer", in_body.clone())]), &[]),
        (chat, plain.clone(), &[("x-costeer-contxt", GIVEN)]),
        (
            chat,
            plain.clone(),
            &[("x-costeer-profile", "nobody"), ("x-costeer-context", GIVEN)],
        ),
        (
            chat,
            with(&[(
                "messages",
                json!([{"role": "user", "content": format!("<private>{MARKED}")}]),
            )]),
            &[],
        ),
        (
            "/v1/completions",
            json!({"prompt": "Dinner is", "max_tokens": 8, "temperature": 0}),
            &given,
        ),
        (
            "/v1/completions",
            json!({"prompt": prompt, "max_tokens": 8, "temperature": 0, "stream": true}),
            &[],
        ),
        (
            "/v1/completions",
            json!({"prompt": [30, 31], "max_tokens": 4, "costeer": in_body}),
            &[],
        ),
        ("/v1/embeddings", json!({"input": "x", "costeer": in_body}), &[]),
        (
            "/v1/embeddings",
            json!({"input": [format!("<private>{MARKED}</private>x")]}),
            &[],
        ),
        (
            "/v1/responses",
            json!({"input": [{"content": format!("<private>{MARKED}</private>x")}]}),
            &given,
        ),
        ("/v1/chat/completions/", plain.clone(), &given),
    ];
    requests.extend(of_other_apis(&in_body, &given));
    let by_base64 = [("x-costeer-context-base64", base64.as_str())];
    requests.push((chat, plain.clone(), &by_base64));
    if with_profile {
        requests.push((chat, plain.clone(), &[("x-costeer-profile", "ada")]));
        requests.push((
            chat,
            with(&[("costeer", json!({"profile": "ada", "context": GIVEN, "strength": -1}))]),
            &[],
        ));
        requests.push((chat, with(&[("tools", tools)]), &[("x-costeer-profile", "ada")]));
    }
    let (mut answers, mut errors) = (Vec::new(), Vec::new());
    for (path, body, headers) in requests {
        let (status, text, whole) = said(post(address, path, body.to_string(), headers).await).await;
        answers.push(text);
        errors.push(thought(&whole));
        if status >= 400 || whole.contains("\"error\":{") {
            errors.push(whole);
        }
    }
    let broken = format!("{{\"input\": \"<private>{MARKED}</private>");
    errors.push(post(address, "/v1/embeddings", broken, &[]).await.text().await.unwrap());
    let form = [
        ("x-costeer-context", GIVEN),
        ("content-type", "multipart/form-data; boundary=x"),
    ];
    post(address, "/v1/files", "--x--", &form).await;
    let models = reqwest::Client::new().get(format!("http://{address}/v1/models"));
    models.header("x-costeer-context", GIVEN).send().await.unwrap();
    // Somebody who leaves in the middle.
    let leaving = ask(address, &with(&[("stream", json!(true))]), &given).await;
    drop(leaving);
    (answers, errors)
}

type Headers<'a> = &'a [(&'static str, &'a str)];

/// The same for OpenAI's responses and Anthropic's messages: marked text in every field that holds text of a prompt, and in some that do not.
fn of_other_apis<'a>(in_body: &Value, given: Headers<'a>) -> Vec<(&'static str, Value, Headers<'a>)> {
    let (responses, messages, count) = ("/v1/responses", "/v1/messages", "/v1/messages/count_tokens");
    let marked = format!("{DINNER}<private>{MARKED}</private>");
    let parts = |kind: &str| json!([{"type": kind, "text": marked}]);
    let response = |input: Value, more: Value| {
        let mut body = json!({"input": input, "max_output_tokens": 8, "temperature": 0});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        (responses, body)
    };
    let message = |content: Value, more: Value| {
        let said = json!([{"role": "user", "content": content}]);
        let mut body = json!({"model": "tiny-llm", "messages": said, "max_tokens": 8, "temperature": 0});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        (messages, body)
    };
    let dialogue = json!([
        {"role": "user", "content": parts("input_text")},
        {"type": "reasoning", "content": parts("reasoning_text"), "summary": parts("summary_text")},
        {"role": "assistant", "content": parts("output_text")},
        {"role": "developer", "content": marked},
    ]);
    let calls = json!([
        {"role": "user", "content": marked},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": format!("{{\"a\": \"{marked}\"}}")},
        {"type": "function_call_output", "call_id": "c", "output": marked},
    ]);
    let tools = json!([{"type": "function", "name": "f", "description": marked}]);
    let results = json!([
        {"type": "tool_result", "tool_use_id": "c", "content": parts("text")},
        {"type": "text", "text": marked},
    ]);
    let image = json!([{"type": "image", "source": {}}, {"type": "text", "text": marked}]);
    let none: &[(&'static str, &str)] = &[];
    let mut all = Vec::new();
    for (path, body) in [
        response(json!(marked), json!({"instructions": marked})),
        response(json!(marked), json!({"stream": true, "costeer": in_body})),
        response(dialogue, json!({})),
        response(calls, json!({})),
        response(json!(DINNER), json!({"tools": tools, "costeer": in_body})),
        response(json!(DINNER), json!({"metadata": {"note": marked}})),
        response(json!(DINNER), json!({"user": marked})),
        response(
            json!(DINNER),
            json!({"previous_response_id": "resp_1", "costeer": in_body}),
        ),
        response(json!([marked]), json!({})),
        message(json!(marked), json!({"system": marked})),
        message(
            parts("text"),
            json!({"system": parts("text"), "stream": true, "costeer": in_body}),
        ),
        message(results, json!({})),
        message(image, json!({"costeer": in_body})),
        message(json!(DINNER), json!({"metadata": {"user_id": marked}})),
        message(json!(DINNER), json!({"stop_sequences": [marked]})),
    ] {
        if path == messages {
            all.push((count, body.clone(), none));
        }
        all.push((path, body.clone(), none));
        all.push((path, body, given));
    }
    all
}

/// A profile with something to hide.
async fn store(address: SocketAddr) {
    let profile = json!({"name": "ada", "description": GIVEN, "facts": [FACT]}).to_string();
    assert_eq!(post(address, "/costeer/v1/profiles", profile, &[]).await.status(), 201);
    let note = json!({"title": "Dinner", "text": NOTE}).to_string();
    let added = post(address, "/costeer/v1/profiles/ada/documents", note, &[]).await;
    assert_eq!(added.status(), 200);
}

/// Exercises a proxy in front of `behind`, and looks at everything that reaches that.
async fn nothing_leaks(behind: SocketAddr, settings: &[(&'static str, &str)]) {
    nothing_leaks_of(behind, settings, 24).await;
}

/// The same with answers of at most so many tokens.
async fn nothing_leaks_of(behind: SocketAddr, settings: &[(&'static str, &str)], max_tokens: usize) {
    let folder = Folder::new();
    let file = folder.file("profiles.db");
    let (recording_at, recording) = recorder(behind).await;
    let mut all = vec![("store.path", file.as_str())];
    all.extend_from_slice(settings);
    let (_proxy, address) = proxy(recording_at, &all).await;
    store(address).await;
    let (answers, errors) = exercise(address, true, max_tokens).await;
    let mut watch = Watch::new(&[GIVEN, MARKED, FACT, NOTE]);
    for error in &errors {
        assert_eq!(watch.piece(error), None, "{error}");
    }
    answers.iter().for_each(|answer| watch.allow(answer));
    let requests = recording.requests();
    assert!(
        requests.len() > 10,
        "{settings:?}: the recorder saw {} requests",
        requests.len()
    );
    for request in &requests {
        assert_eq!(watch.leak(request), None, "{settings:?}: {request}");
    }
    eprintln!(
        "{settings:?}: {} requests, {} errors, 0 leaks",
        requests.len(),
        errors.len()
    );
}

#[test]
fn the_watch_sees_what_it_should() {
    let watch = Watch::new(&[GIVEN]);
    let ids: Vec<u32> = watch
        .tokenizer
        .encode("he said: blood group zero, owes")
        .unwrap()
        .iter()
        .map(|id| id.0)
        .collect();
    assert!(
        watch
            .leak(&format!("POST /v1/completions\n{{}}\n{}", json!({"prompt": ids})))
            .is_some()
    );
    assert!(watch.leak("... WILHELMINA VAND ...").is_some());
    assert!(watch.leak(&encoded(GIVEN)[8..30]).is_some());
    assert!(watch.leak("POST /x\n{\"x-costeer-anything\": 1}").is_some());
    assert_eq!(watch.leak("blood group, Wilhelmina"), None);
}

#[test]
fn nothing_leaks_to_a_server_that_is_spoken_to_in_ids() {
    run(async {
        nothing_leaks(upstream().await, &[]).await;
        nothing_leaks(
            upstream().await,
            &[("steering.on_unsteerable", "pass"), ("upstream.lookahead", "1")],
        )
        .await;
        nothing_leaks(
            upstream().await,
            &[
                ("steering.exactness", "refetch"),
                ("steering.bypass", "reopen"),
                ("context.placement", "user"),
            ],
        )
        .await;
    });
}

#[test]
fn nothing_leaks_to_other_kinds_of_servers() {
    run(async {
        let pass = ("steering.on_unsteerable", "pass");
        nothing_leaks(sglang(false).await, &[("upstream.driver", "sglang"), pass]).await;
        let chat = ("upstream.driver", "openai-chat");
        nothing_leaks(chat_host(Host::Continues).await, &[chat, pass]).await;
        // Refused at once: the error path.
        nothing_leaks(chat_host(Host::StartsAnew).await, &[chat, pass]).await;
    });
}

#[test]
fn nothing_leaks_with_models_that_think() {
    run(async {
        for marks in [TAGS, BEGUN, HARMONY] {
            let pair = Pair::new(marks, true).await;
            let [llm, slm] = [&pair.llm, &pair.slm].map(|folder| folder.path().to_str().unwrap());
            // An answer has room for the thought and some words.
            nothing_leaks_of(pair.upstream, &[("upstream.tokenizer", llm), ("local.model", slm)], 120).await;
        }
    });
}

#[test]
fn nothing_leaks_to_the_real_server_of_the_conformity_suite() {
    let Some(address) = real_upstream() else {
        eprintln!("skipped: COSTEER_TEST_UPSTREAM names no server (tests/upstreams/run.sh starts one)");
        return;
    };
    run(async move {
        nothing_leaks(address, &[("steering.on_unsteerable", "pass")]).await;
        nothing_leaks(address, &[("steering.exactness", "refetch")]).await;
    });
}

#[test]
fn nothing_leaks_when_servers_refuse() {
    run(async {
        let broken = |status: u16| async move {
            let status = axum::http::StatusCode::from_u16(status).unwrap();
            serve(Router::new().fallback(move || async move { (status, "{\"error\": \"no\"}") })).await
        };
        for status in [400, 429, 500] {
            nothing_leaks(
                broken(status).await,
                &[("upstream.retries", "1"), ("upstream.driver", "vllm")],
            )
            .await;
        }
    });
}

/// Sends everything `rounds` times, each to servers one of which dies soon.
fn nothing_leaks_through_dying_servers(rounds: i64) {
    run(async move {
        // Two recorders that share their servers' fate: whoever answers dies after some tokens, and the other goes on.
        let fuse = Arc::new(AtomicI64::new(i64::MAX));
        let (first, first_saw) = recorder(upstream().await).await;
        let (second, second_saw) = recorder(upstream().await).await;
        let servers = [
            Mortal::new(first, Arc::clone(&fuse)),
            Mortal::new(second, Arc::clone(&fuse)),
        ];
        let urls = servers
            .each_ref()
            .map(|server| format!("http://{}/v1", server.address))
            .join(",");
        let (_proxy, address) = proxy(first, &[("upstream.url", &urls)]).await;
        let mut watch = Watch::new(&[GIVEN, MARKED]);
        for round in 0..rounds {
            for server in &servers {
                server.revive().await;
            }
            fuse.store(3 + 5 * round, Ordering::SeqCst);
            let (answers, _) = exercise(address, false, 24).await;
            answers.iter().for_each(|answer| watch.allow(answer));
            fuse.store(i64::MAX, Ordering::SeqCst);
        }
        let deaths: usize = servers.iter().map(|server| server.deaths.load(Ordering::SeqCst)).sum();
        let requests = [first_saw.requests(), second_saw.requests()].concat();
        for request in &requests {
            assert_eq!(watch.leak(request), None, "{request}");
        }
        eprintln!("{} requests, {deaths} deaths, 0 leaks", requests.len());
        assert!(3 * deaths as i64 >= 2 * rounds);
    });
}

#[test]
fn nothing_leaks_when_servers_die() {
    nothing_leaks_through_dying_servers(2);
}

#[test]
#[ignore = "long proof: six deaths; the plain run has two"]
fn nothing_leaks_when_servers_die_six_times() {
    nothing_leaks_through_dying_servers(6);
}

#[test]
fn nothing_private_is_logged_counted_or_printed() {
    run(async {
        let folder = Folder::new();
        let file = folder.file("profiles.db");
        let log = folder.file("log");
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let url = format!("http://{}/v1", upstream().await);
        let variables = [
            ("COSTEER__UPSTREAM__URL", url.as_str()),
            ("COSTEER__STORE__PATH", &file),
            ("COSTEER__STORE__KEY", "the passphrase of the store"),
            ("COSTEER__LOG__FILTER", "trace"),
            ("RUST_BACKTRACE", "full"),
        ];
        let mut command = costeer(&["serve", "--listen", &free.to_string()], &variables);
        let to_file = std::fs::File::create(&log).unwrap();
        command.stdout(to_file.try_clone().unwrap()).stderr(to_file);
        let mut child = command.spawn().unwrap();
        while reqwest::get(format!("http://{free}/healthz")).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        store(free).await;
        let (answers, _) = exercise(free, true, 24).await;
        let preview = json!({"question": DINNER, "context": MARKED}).to_string();
        let previewed = post(free, "/costeer/v1/profiles/ada/preview", preview, &[])
            .await
            .text()
            .await
            .unwrap();
        assert!(
            previewed.contains("Bartholomew") && previewed.contains("Kiruna"),
            "{previewed}"
        );
        let search = json!({"query": NOTE}).to_string();
        post(free, "/costeer/v1/profiles/ada/search", search, &[]).await;
        post(
            free,
            "/costeer/v1/profiles/ada/search",
            json!({"query": [NOTE]}).to_string(),
            &[],
        )
        .await;
        // Files have private names, too, and so do those of which nothing can be read.
        for (name, file) in [
            ("hid the silver spoons behind.md", NOTE),
            ("Kiruna with fourteen guests.jsonl", "{\"text\": no}"),
        ] {
            let head = json!({"path": name, "profile": "ada", "me": ["Bartholomew says that"]});
            let sent = reqwest::Client::new()
                .post(format!("http://{free}/costeer/v1/import"))
                .header("content-type", "application/octet-stream")
                .body(format!("{head}\n{file}"));
            let told = sent.send().await.unwrap().text().await.unwrap();
            assert!(told.contains("\"done\":true"), "{told}");
        }
        let mut asked = question(&format!("{DINNER} <private>{MARKED}</private>"));
        asked["costeer"] = json!({"profile": "ada"});
        let previewed = post(free, "/costeer/v1/preview", asked.to_string(), &[]).await;
        let previewed = previewed.text().await.unwrap();
        assert!(
            previewed.contains("Bartholomew") && previewed.contains("Kiruna"),
            "{previewed}"
        );
        let mut told = String::new();
        for path in ["status", "tuning"] {
            let answer = reqwest::get(format!("http://{free}/costeer/v1/{path}")).await.unwrap();
            told += &answer.text().await.unwrap();
        }
        let metrics = metrics_of(free).await;
        std::process::Command::new("kill")
            .arg(child.id().to_string())
            .status()
            .unwrap();
        child.wait().unwrap();
        let log = std::fs::read_to_string(&log).unwrap();
        assert!(log.contains("TRACE") && log.len() > 10_000, "{} bytes", log.len());
        let mut watch = Watch::new(&[GIVEN, MARKED, FACT, NOTE, "the passphrase of the store"]);
        answers.iter().for_each(|answer| watch.allow(answer));
        for (what, text) in [("metrics", &metrics), ("log", &log), ("status", &told)] {
            let leak = text.lines().find_map(|line| Some((watch.piece(line)?, line)));
            assert_eq!(leak, None, "{what}");
        }
        assert!(
            metrics.contains("/costeer/v1/profiles/{name}/preview") && !metrics.contains("ada"),
            "{metrics}"
        );
    });
}
