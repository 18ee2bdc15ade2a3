//! Models that call tools. The shipped big model's server writes calls in the marks of a family before, or instead of, an answer of its
//! own, and its chat template says which tools there are.

mod edges;

use std::net::SocketAddr;

use costeer::local::ModelSource;
use costeer::testkit::{DemoServer, Pacing};
use costeer::vocabulary::{ChatMessage, Role, TemplateOptions, Tokenizer};
use serde_json::{Value, json};

use crate::support::{CONTEXT, DINNER, Folder, ask, content, events, options, proxy, question, recorder, run, serve};
use crate::thinking::llamacpp;

/// How a model writes tools and calls.
#[derive(Clone, Copy)]
pub struct Dialect {
    /// What its chat template has, so that it is known.
    signs: &'static str,
    /// Two calls as it writes them.
    calls: &'static str,
    /// Names of tokens that it has for marks.
    tokens: &'static [&'static str],
    /// Whether these are special.
    special: bool,
    /// Whether the answer can go on after the calls.
    goes_on: bool,
}

pub const HERMES: Dialect = Dialect {
    signs: "<tool_call></tool_call> \"arguments\"",
    calls: "<tool_call>\n{\"name\": \"find\", \"arguments\": {\"what\": \"a \\\"soup\\\"\", \"count\": 2}}\n</tool_call>\n\
            <tool_call>\n{\"name\": \"shop\", \"arguments\": {}}\n</tool_call>",
    tokens: &["<tool_call>", "</tool_call>"],
    special: false,
    goes_on: true,
};

/// Each mark is several tokens.
const SPELLED: Dialect = Dialect { tokens: &[], ..HERMES };

const CODER: Dialect = Dialect {
    signs: "<tool_call> <function= <parameter=",
    calls: "<tool_call>\n<function=find>\n<parameter=what>\na \"soup\"\n</parameter>\n<parameter=count>\n2\n</parameter>\n</function>\n\
            </tool_call>\n<tool_call>\n<function=shop>\n</function>\n</tool_call>",
    ..SPELLED
};

const GLM: Dialect = Dialect {
    signs: "<tool_call> <arg_key> <arg_value>",
    calls: "<tool_call>find\n<arg_key>what</arg_key>\n<arg_value>a \"soup\"</arg_value>\n<arg_key>count</arg_key>\n<arg_value>2</arg_value>\n\
            </tool_call>\n<tool_call>shop\n</tool_call>",
    ..HERMES
};

const DEEPSEEK: Dialect = Dialect {
    signs: "<｜tool▁calls▁begin｜> <｜tool▁sep｜>",
    calls: "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>find<｜tool▁sep｜>{\"what\": \"a \\\"soup\\\"\", \"count\": 2}<｜tool▁call▁end｜>\
            <｜tool▁call▁begin｜>shop<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    tokens: &["<｜tool▁calls▁begin｜>", "<｜tool▁sep｜>"],
    special: true,
    goes_on: true,
};

const MISTRAL: Dialect = Dialect {
    signs: "[TOOL_CALLS]",
    calls: "[TOOL_CALLS]find[ARGS]{\"what\": \"a \\\"soup\\\"\", \"count\": 2}[TOOL_CALLS]shop[ARGS]{}",
    tokens: &["[TOOL_CALLS]", "[ARGS]"],
    special: true,
    goes_on: false,
};

const LLAMA: Dialect = Dialect {
    signs: "\"parameters\": dictionary of argument name and its value",
    calls: "{\"name\": \"find\", \"parameters\": {\"what\": \"a \\\"soup\\\"\", \"count\": 2}}; {\"name\": \"shop\", \"parameters\": {}}",
    tokens: &[],
    special: false,
    goes_on: false,
};

const HARMONY: Dialect = Dialect {
    signs: "<|channel|>commentary functions.",
    calls: "<|channel|>commentary to=functions.find <|constrain|>json<|message|>{\"what\": \"a \\\"soup\\\"\", \"count\": 2}<|end|>\
            <|start|>assistant<|channel|>commentary to=functions.shop<|message|>{}",
    tokens: &["<|channel|>", "<|message|>"],
    special: true,
    goes_on: false,
};

const ALL: [Dialect; 8] = [HERMES, SPELLED, CODER, GLM, DEEPSEEK, MISTRAL, LLAMA, HARMONY];

const WRITES: &str = "{% if tools %}{{ '<|im_start|>system\\nTools: ' + (tools | tojson) + '<|im_end|>\\n' }}{% endif %}{% for message in messages %}{% if message.tool_calls %}{{ message.tool_calls | tojson }}{% endif %}{% endfor %}";

/// A shipped model with these tokens in its vocabulary, and this before its chat template.
fn model(name: &str, dialect: &Dialect, before: &str) -> Folder {
    Folder::model(name, dialect.tokens, dialect.special, |own| before.to_owned() + own)
}

/// The models, and a server of the big one that says `said` before each answer of its own.
pub struct Pair {
    llm: Folder,
    slm: Folder,
    pub upstream: SocketAddr,
}

impl Pair {
    async fn new(dialect: &Dialect, said: &str) -> Self {
        let served = model("llm", dialect, "");
        let source = ModelSource::locate("--model", served.path().to_str().unwrap())
            .await
            .unwrap();
        let server = DemoServer::load(&source, &options(), 2, "tiny-llm", Pacing::default())
            .await
            .unwrap();
        server.think(said).unwrap();
        Self {
            upstream: serve(server.router()).await,
            slm: model("slm", dialect, ""),
            llm: model("llm", dialect, &format!("{{# {} #}}{WRITES}", dialect.signs)),
        }
    }

    /// That calls both tools.
    pub async fn calling(dialect: &Dialect) -> Self {
        let end = if dialect.goes_on { "" } else { "<|im_end|>" };
        Self::new(dialect, &[dialect.calls, end].concat()).await
    }

    pub async fn proxy(&self, upstream: SocketAddr, settings: &[(&'static str, &str)]) -> SocketAddr {
        let mut all = vec![
            ("upstream.tokenizer", self.llm.path().to_str().unwrap()),
            ("local.model", self.slm.path().to_str().unwrap()),
        ];
        all.extend(settings);
        proxy(upstream, &all).await.1
    }
}

pub fn tools() -> Value {
    let tool = |name: &str, properties: Value| json!({"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": properties}}});
    json!([
        tool(
            "find",
            json!({"what": {"type": "string"}, "count": {"type": "integer"}})
        ),
        tool("shop", json!({}))
    ])
}

fn body() -> Value {
    let mut body = question(DINNER);
    body["tools"] = tools();
    body["max_tokens"] = json!(400);
    body
}

async fn steered(address: SocketAddr, body: &Value) -> Value {
    let response = ask(address, body, &[("x-costeer-context", CONTEXT)]).await;
    let status = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Names and arguments of calls, which have ids of their own.
fn called(calls: &Value) -> Vec<(String, Value)> {
    let calls = calls.as_array().map_or(&[][..], Vec::as_slice);
    let mut ids: Vec<&str> = calls.iter().map(|call| call["id"].as_str().unwrap()).collect();
    assert!(ids.iter().all(|id| id.starts_with("call_")));
    ids.dedup();
    assert_eq!(ids.len(), calls.len());
    calls
        .iter()
        .map(|call| {
            assert_eq!(call["type"], "function");
            let arguments = call["function"]["arguments"].as_str().unwrap();
            (
                call["function"]["name"].as_str().unwrap().to_owned(),
                serde_json::from_str(arguments).unwrap(),
            )
        })
        .collect()
}

fn both() -> Vec<(String, Value)> {
    vec![
        ("find".to_owned(), json!({"what": "a \"soup\"", "count": 2})),
        ("shop".to_owned(), json!({})),
    ]
}

/// What a stream's deltas come to: content, calls, and why it ended.
async fn streamed(address: SocketAddr, mut body: Value) -> (String, Value, Value) {
    body["stream"] = json!(true);
    let response = ask(address, &body, &[("x-costeer-context", CONTEXT)]).await;
    let (mut said, mut calls, mut finish) = (String::new(), Vec::<Value>::new(), Value::Null);
    for event in events(&response.text().await.unwrap()) {
        let Ok(chunk) = serde_json::from_str::<Value>(&event) else {
            continue;
        };
        let choice = &chunk["choices"][0];
        said.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
        for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if index == calls.len() {
                // What it is comes first.
                assert!(call["id"].is_string() && call["function"]["name"].is_string());
                calls.push(call.clone());
            } else {
                let before = calls[index]["function"]["arguments"].as_str().unwrap();
                let more = call["function"]["arguments"].as_str().unwrap();
                calls[index]["function"]["arguments"] = (before.to_owned() + more).into();
            }
        }
        if !choice["finish_reason"].is_null() {
            finish = choice["finish_reason"].clone();
        }
    }
    (said, calls.into(), finish)
}

#[test]
fn each_familys_calls_come_as_calls() {
    run(async {
        for dialect in ALL {
            let pair = Pair::calling(&dialect).await;
            let (recorded, recording) = recorder(pair.upstream).await;
            let address = pair.proxy(recorded, &[]).await;
            let answer = steered(address, &body()).await;
            let choice = &answer["choices"][0];
            assert_eq!(
                called(&choice["message"]["tool_calls"]),
                both(),
                "{}: {answer}",
                dialect.calls
            );
            assert_eq!(choice["finish_reason"], "tool_calls");
            assert_eq!(choice["message"]["content"].is_null(), !dialect.goes_on, "{answer}");
            let count = |name: &str| answer["costeer"][name].as_u64().unwrap();
            let parts = ["reasoning", "calls", "passed", "certified", "refetched", "uncertified"].map(count);
            assert_eq!(parts.iter().sum::<u64>(), count("positions"), "{}", answer["costeer"]);
            assert!(
                count("calls") > 20 && count("upstream_requests") < 30,
                "{}",
                answer["costeer"]
            );

            let (said, calls, finish) = streamed(address, body()).await;
            assert_eq!(called(&calls), both());
            assert_eq!(said, choice["message"]["content"].as_str().unwrap_or_default());
            assert_eq!(finish, "tool_calls");

            // However the upstream's stream is cut, and whoever speaks.
            for settings in [
                [("upstream.lookahead", "1")],
                [("upstream.lookahead", "3")],
                [("steering.tools", "all")],
            ] {
                let other = steered(pair.proxy(pair.upstream, &settings).await, &body()).await;
                let other = &other["choices"][0];
                if settings[0].0 == "upstream.lookahead" {
                    assert_eq!(called(&other["message"]["tool_calls"]), both());
                    assert_eq!(other["message"]["content"], choice["message"]["content"]);
                }
            }
            let sent = recording.requests().join("\n");
            assert!(!sent.contains("Ziggy") && !sent.contains("vegan") && !sent.contains("costeer"));
        }
    });
}

#[test]
fn llama_cpps_dialect_says_the_same() {
    run(async {
        let pair = Pair::calling(&MISTRAL).await;
        let translated = llamacpp::translated(pair.upstream).await;
        let answer = steered(pair.proxy(translated, &[]).await, &body()).await;
        assert_eq!(called(&answer["choices"][0]["message"]["tool_calls"]), both());
    });
}

#[test]
fn what_is_said_before_a_call_is_content_and_one_call_can_be_enough() {
    run(async {
        let pair = Pair::new(&HERMES, &["Let me look.\n\n", HERMES.calls].concat()).await;
        let address = pair.proxy(pair.upstream, &[]).await;
        let mut body = body();
        body["parallel_tool_calls"] = json!(false);
        let answer = steered(address, &body).await;
        let choice = &answer["choices"][0];
        assert_eq!(called(&choice["message"]["tool_calls"]), both()[..1]);
        assert!(!content(&answer).trim().is_empty());
        assert_eq!(choice["finish_reason"], "tool_calls");
        let (_, calls, finish) = streamed(address, body).await;
        assert_eq!((called(&calls), finish), (both()[..1].to_vec(), json!("tool_calls")));
    });
}

#[test]
fn a_call_that_is_cut_off_or_is_none_stays_text() {
    run(async {
        let pair = Pair::calling(&SPELLED).await;
        let address = pair.proxy(pair.upstream, &[]).await;
        let mut cut = body();
        cut["max_tokens"] = json!(12);
        let answer = steered(address, &cut).await;
        let choice = &answer["choices"][0];
        assert_eq!(
            (&choice["finish_reason"], &choice["message"]["tool_calls"]),
            (&json!("length"), &Value::Null)
        );
        let said = content(&answer);
        assert!(!said.is_empty() && SPELLED.calls.starts_with(&said), "{said:?}");

        // Nobody has sent tools, or they must not be called.
        let mut none = body();
        none["tool_choice"] = json!("none");
        let mut plain = body();
        plain.as_object_mut().unwrap().remove("tools");
        for body in [none, plain] {
            let answer = steered(address, &body).await;
            assert_eq!(answer["choices"][0]["message"].get("tool_calls"), None);
            assert_eq!(answer["choices"][0]["finish_reason"], "stop");
        }

        let broken = "<tool_call>{\"name\": find}</tool_call><|im_end|>";
        let pair = Pair::new(&HERMES, broken).await;
        let answer = steered(pair.proxy(pair.upstream, &[]).await, &body()).await;
        assert_eq!(content(&answer), broken.replace("<|im_end|>", ""));
        assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    });
}

#[test]
fn calls_and_results_go_back_into_the_prompts() {
    run(async {
        let pair = Pair::new(&HERMES, "<|im_end|>").await;
        let address = pair.proxy(pair.upstream, &[]).await;
        let mut body = body();
        body["messages"] = json!([
            {"role": "user", "content": DINNER},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": "{\"what\": \"soup\"}"}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": "<private>I am Ada.</private>Tomato soup."},
        ]);
        assert_eq!(steered(address, &body).await["choices"][0]["finish_reason"], "stop");
        body["tools"][0]["function"]["description"] = json!("<private>I am Ada.</private>");
        let refused = ask(address, &body, &[("x-costeer-context", CONTEXT)]).await;
        assert_eq!(refused.status(), 400);
        let error = refused.text().await.unwrap();
        assert!(error.contains("tools") && !error.contains("Ada"), "{error}");
    });
}

#[test]
fn tools_that_cannot_be_called_are_refused_by_name_or_passed_on() {
    run(async {
        let unknown = Dialect {
            signs: "calls are written somehow",
            ..SPELLED
        };
        let pair = Pair::new(&unknown, "").await;
        let refuse = |address: SocketAddr, body: Value| async move {
            let response = ask(address, &body, &[("x-costeer-context", CONTEXT)]).await;
            assert_eq!(response.status(), 400);
            response.json::<Value>().await.unwrap()["error"].clone()
        };
        let address = pair.proxy(pair.upstream, &[]).await;
        let error = refuse(address, body()).await;
        assert_eq!(
            (&error["param"], &error["code"]),
            (&json!("tools"), &json!("unsupported_parameter"))
        );
        assert!(
            error["message"]
                .as_str()
                .unwrap()
                .contains("how the upstream's model marks calls")
        );
        // The template of the shipped model knows no tools at all.
        let plain = proxy(pair.upstream, &[]).await.1;
        let error = refuse(plain, body()).await;
        assert!(error["message"].as_str().unwrap().contains("knows no tools"), "{error}");
        let mut history = question(DINNER);
        history["messages"] = json!([
            {"role": "user", "content": DINNER},
            {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "find", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "Soup."},
        ]);
        assert_eq!(refuse(plain, history).await["param"], "messages[1].tool_calls");
        let passing = pair.proxy(pair.upstream, &[("steering.on_unsteerable", "pass")]).await;
        let passed = ask(passing, &body(), &[("x-costeer-context", CONTEXT)]).await;
        assert_eq!(passed.headers()["x-costeer-steered"], "false");
        assert!(
            passed.headers()["x-costeer-reason"]
                .to_str()
                .unwrap()
                .starts_with("tools: ")
        );
    });
}

/// The small model's files with this chat template.
fn with_template(template: &str) -> Tokenizer {
    let folder = Folder::new();
    folder.copy_without_weights("slm");
    std::fs::write(folder.file("chat_template.jinja"), template).unwrap();
    Tokenizer::load(folder.path()).unwrap()
}

#[test]
fn templates_get_calls_in_the_form_that_they_want() {
    let mut called = ChatMessage::new(Role::Assistant, "");
    let call = json!([{"id": "abc123xyz", "type": "function", "function": {"name": "find", "arguments": "{\"what\": \"soup\"}"}}]);
    called.fields.insert("tool_calls".to_owned(), call);
    let mut result = ChatMessage::new(Role::Tool, "Tomato soup.");
    result.fields.insert("tool_call_id".to_owned(), json!("abc123xyz"));
    let chat = [ChatMessage::new(Role::User, "Hi"), called, result];
    let each = |call: &str| {
        format!(
            "{{% for m in messages %}}{{% if m.tool_calls %}}{{% for c in m.tool_calls %}}{call}{{% endfor %}}{{% else %}}{{{{ m.role + ': ' + m.content }}}}{{% endif %}};{{% endfor %}}"
        )
    };
    let known = "user: Hi;find {\"what\": \"soup\"};tool: Tomato soup.;";
    for (call, wanted) in [
        // JSON is written of values, and as it is of texts.
        ("{{ c.function.name + ' ' }}{{ c.function.arguments | tojson }}", known),
        ("{{ c.function.name + ' ' + c.function.arguments }}", known),
        (
            "{% if m.content is none %}{{ c.function.name + ' ' }}{{ c.function.arguments | tojson }}{% endif %}",
            known,
        ),
        // One that writes no calls gets none, and no results.
        ("", "user: Hi;"),
    ] {
        let tokenizer = with_template(&each(call));
        let ids = tokenizer
            .chat_prompt_with(&chat, &[], &TemplateOptions::default())
            .unwrap();
        assert_eq!(tokenizer.bytes().text(&ids), wanted, "{call}");
        assert_eq!(tokenizer.writes_calls(), wanted == known);
        assert!(!tokenizer.writes_tools());
    }
    let listing =
        with_template(&("{% for t in tools or [] %}{{ t.function.name }},{% endfor %}".to_owned() + &each("")));
    assert!(listing.writes_tools());
    let tools = [json!({"type": "function", "function": {"name": "find"}})];
    let ids = listing
        .chat_prompt_with(&chat, &tools, &TemplateOptions::default())
        .unwrap();
    assert_eq!(listing.bytes().text(&ids), "find,user: Hi;");
}
