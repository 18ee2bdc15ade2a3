//! Models that think before they answer. The shipped models get two more tokens for the marks of a thought, and their server writes a
//! thought before each answer of the model's own. So what is steered can be compared with what the same models say without one.

mod formats;
pub mod llamacpp;

pub use llamacpp::completions;

use std::net::SocketAddr;
use std::sync::Arc;

use costeer::local::ModelSource;
use costeer::testkit::{DemoServer, Pacing};
use costeer::vocabulary::Tokenizer;
use serde_json::{Value, json};

use crate::drivers::{Host, chat_host_of};
use crate::support::{
    CONTEXT, DINNER, Folder, ask, content, events, options, post, proxy, question, recorder, run, serve,
    streamed_content,
};

/// A thought, as the client should see it.
pub const THOUGHT: &str = "They want a dinner. I could say <pasta>, or a soup.\n\nA soup it is.";

/// How a pair of models marks thoughts.
#[derive(Clone, Copy)]
pub struct Marks {
    open: &'static str,
    close: &'static str,
    /// Names of tokens that both vocabularies have for them.
    tokens: &'static [&'static str],
    /// Whether these are special.
    special: bool,
    /// What the upstream's template has after the shipped one.
    template: &'static str,
}

pub const TAGS: Marks = Marks {
    open: "<think>\n",
    close: "\n</think>\n\n",
    tokens: &["<think>", "</think>"],
    special: false,
    template: "{# <think> </think> #}",
};

/// The prompt itself begins the thought.
pub const BEGUN: Marks = Marks {
    template: "{% if add_generation_prompt %}{{ '<think>\\n' }}{% endif %}{# </think> #}",
    ..TAGS
};

pub const SPECIAL: Marks = Marks {
    open: "[THINK]",
    close: "[/THINK]",
    tokens: &["[THINK]", "[/THINK]"],
    special: true,
    template: "{# [THINK] [/THINK] #}",
};

/// Each mark is several tokens.
pub const SPELLED: Marks = Marks { tokens: &[], ..TAGS };

pub const HARMONY: Marks = Marks {
    open: "<|channel|>analysis<|message|>",
    close: "<|end|><|start|>assistant<|channel|>final<|message|>",
    tokens: &["<|channel|>", "<|message|>"],
    special: true,
    template: "{# <|channel|>analysis<|message|> <|channel|>final<|message|> #}",
};

pub const ALL: [Marks; 5] = [TAGS, BEGUN, SPECIAL, SPELLED, HARMONY];

impl Marks {
    fn said(&self) -> String {
        [self.open, THOUGHT, self.close].concat()
    }

    /// A shipped model with these marks in its vocabulary, and this after its chat template.
    fn model(&self, name: &str, template: &str) -> Folder {
        Folder::model(name, self.tokens, self.special, |own| own.to_owned() + template)
    }
}

/// The models, and a server of the big one.
pub struct Pair {
    /// What the proxy knows of the big model.
    pub llm: Folder,
    pub slm: Folder,
    pub upstream: SocketAddr,
}

impl Pair {
    /// The small model does not think.
    pub async fn new(marks: Marks, thinks: bool) -> Self {
        Self::with(marks, thinks, "").await
    }

    async fn with(marks: Marks, thinks: bool, small_template: &str) -> Self {
        let said = marks.said();
        Self::saying(marks, thinks.then_some(&said), small_template).await
    }

    /// The big model says `said` before each of its answers.
    async fn saying(marks: Marks, said: Option<&str>, small_template: &str) -> Self {
        let thinks = said.is_some();
        // Where nobody thinks, the prompt begins no thought.
        let llm = marks.model("llm", if thinks { marks.template } else { "" });
        // Engines read chat templates, too: mistral.rs ends sequences by itself where one is harmony's.
        let served = marks.model("llm", "");
        let source = ModelSource::locate("--model", served.path().to_str().unwrap())
            .await
            .unwrap();
        let server = DemoServer::load(&source, &options(), 2, "tiny-llm", Pacing::default())
            .await
            .unwrap();
        if let Some(said) = said {
            server.think(said).unwrap();
        }
        Self {
            upstream: serve(server.router()).await,
            slm: marks.model("slm", small_template),
            llm,
        }
    }

    async fn proxy(&self, settings: &[(&'static str, &str)]) -> SocketAddr {
        self.proxy_of(self.upstream, settings).await
    }

    async fn proxy_of(&self, upstream: SocketAddr, settings: &[(&'static str, &str)]) -> SocketAddr {
        let mut all = vec![
            ("upstream.tokenizer", self.llm.path().to_str().unwrap()),
            ("local.model", self.slm.path().to_str().unwrap()),
        ];
        all.extend(settings);
        proxy(upstream, &all).await.1
    }
}

async fn steered(address: SocketAddr, body: &Value) -> Value {
    let response = ask(address, body, &[("x-costeer-context", CONTEXT)]).await;
    let status = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn questions() -> Vec<Value> {
    let mut drawn = question(DINNER);
    drawn["temperature"] = json!(0.8);
    drawn["seed"] = json!(3);
    vec![question(DINNER), question("Which book should I pick?"), drawn]
}

/// Every position is in one count.
fn assert_counted(answer: &Value) -> u64 {
    let count = |name: &str| answer["costeer"][name].as_u64().unwrap();
    let parts = ["reasoning", "passed", "certified", "refetched", "uncertified"].map(count);
    assert_eq!(parts.iter().sum::<u64>(), count("positions"), "{}", answer["costeer"]);
    assert_eq!(answer["usage"]["completion_tokens"], count("positions"));
    count("reasoning")
}

#[test]
fn the_answer_after_a_thought_is_the_one_without_it() {
    run(async {
        for marks in ALL {
            let quiet = Pair::new(marks, false).await;
            let quiet = quiet.proxy(&[]).await;
            let pair = Pair::new(marks, true).await;
            let (recorded, recording) = recorder(pair.upstream).await;
            let thinking = pair.proxy_of(recorded, &[]).await;
            let paper = pair.proxy(&[("upstream.lookahead", "1")]).await;
            for mut body in questions() {
                body["max_tokens"] = json!(400);
                let wanted = steered(quiet, &body).await;
                assert_eq!(assert_counted(&wanted), 0);
                assert_eq!(wanted["choices"][0]["message"].get("reasoning"), None);
                let answer = steered(thinking, &body).await;
                let message = &answer["choices"][0]["message"];
                assert_eq!(message["reasoning_content"], THOUGHT, "{}", marks.open);
                assert_eq!(message["reasoning"], THOUGHT);
                // A seed's noise depends on the position, so drawn answers are other ones.
                if body["temperature"] == 0 {
                    assert_eq!(content(&answer), content(&wanted), "{}", marks.open);
                    assert_eq!(answer["costeer"]["changed"], wanted["costeer"]["changed"]);
                }
                let counted = assert_counted(&answer);
                assert!(counted > 20);
                assert_eq!(
                    answer["usage"]["completion_tokens_details"]["reasoning_tokens"],
                    counted
                );
                let again = steered(paper, &body).await;
                assert_eq!(again["choices"], answer["choices"], "{}", marks.open);
            }
            let sent = recording.requests().join("\n");
            assert!(!sent.contains("Ziggy") && !sent.contains("vegan") && !sent.contains("costeer"));
        }
    });
}

#[test]
fn llama_cpps_dialect_says_the_same() {
    run(async {
        for marks in [SPECIAL, SPELLED] {
            let pair = Pair::new(marks, true).await;
            let mut body = question(DINNER);
            body["max_tokens"] = json!(400);
            let wanted = steered(pair.proxy(&[]).await, &body).await;
            let translated = llamacpp::translated(pair.upstream).await;
            let answer = steered(pair.proxy_of(translated, &[]).await, &body).await;
            assert_eq!(answer["choices"], wanted["choices"]);
            assert_eq!(answer["choices"][0]["message"]["reasoning"], THOUGHT);
        }
    });
}

#[test]
fn other_apis_have_a_place_for_the_thought_too() {
    run(async {
        let pair = Pair::new(TAGS, true).await;
        let address = pair.proxy(&[]).await;
        let mut chat = question(DINNER);
        chat["max_tokens"] = json!(400);
        let said = content(&steered(address, &chat).await);
        let context = [("x-costeer-context", CONTEXT)];
        let response = json!({"input": DINNER, "temperature": 0, "max_output_tokens": 400});
        let message = json!({"messages": [{"role": "user", "content": DINNER}], "temperature": 0, "max_tokens": 400});
        let cases = [
            (
                "/v1/responses",
                response,
                ["/output/0/content/0/text", "/output/1/content/0/text"],
            ),
            ("/v1/messages", message, ["/content/0/thinking", "/content/1/text"]),
        ];
        for (path, mut body, places) in cases {
            let whole: Value = post(address, path, body.to_string(), &context)
                .await
                .json()
                .await
                .unwrap();
            let texts = places.map(|place| whole.pointer(place).and_then(Value::as_str).unwrap_or_default());
            assert_eq!(texts, [THOUGHT, &said], "{whole}");
            body["stream"] = json!(true);
            let stream = post(address, path, body.to_string(), &context)
                .await
                .text()
                .await
                .unwrap();
            let events: Vec<Value> = events(&stream)
                .iter()
                .map(|data| serde_json::from_str(data).unwrap())
                .collect();
            let deltas = |kind: &str, place: &str| -> String {
                let wanted = events.iter().filter(|event| event.to_string().contains(kind));
                wanted.filter_map(|event| event.pointer(place)?.as_str()).collect()
            };
            let (thought, text) = match path {
                "/v1/responses" => (
                    deltas("response.reasoning_text.delta", "/delta"),
                    deltas("response.output_text.delta", "/delta"),
                ),
                _ => (
                    deltas("thinking_delta", "/delta/thinking"),
                    deltas("text_delta", "/delta/text"),
                ),
            };
            assert_eq!([thought, text], [THOUGHT.to_owned(), said.clone()]);
        }
        // What was thought may be sent back.
        let echoed = json!([
            {"role": "user", "content": DINNER},
            {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": THOUGHT}]},
            {"role": "assistant", "content": [{"type": "output_text", "text": said}]},
            {"role": "user", "content": "Thanks!"},
        ]);
        let again = json!({"input": echoed, "temperature": 0, "max_output_tokens": 8}).to_string();
        assert_eq!(post(address, "/v1/responses", again, &context).await.status(), 200);
    });
}

#[test]
fn a_stream_has_the_thought_in_deltas_of_its_own() {
    run(async {
        let pair = Pair::new(TAGS, true).await;
        let address = pair.proxy(&[]).await;
        let mut body = question(DINNER);
        body["max_tokens"] = json!(400);
        let whole = steered(address, &body).await;
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
        let response = ask(address, &body, &[("x-costeer-context", CONTEXT)]).await;
        let stream = response.text().await.unwrap();
        assert_eq!(streamed_content(&stream).0, content(&whole));
        let chunks: Vec<Value> = events(&stream)
            .iter()
            .filter_map(|data| serde_json::from_str(data).ok())
            .collect();
        for name in ["reasoning_content", "reasoning"] {
            let deltas = chunks
                .iter()
                .filter_map(|chunk| chunk["choices"][0]["delta"][name].as_str());
            assert_eq!(deltas.collect::<String>(), THOUGHT);
        }
        let begins = |name: &str| {
            let mut deltas = chunks.iter().map(|chunk| &chunk["choices"][0]["delta"][name]);
            deltas
                .position(|delta| delta.as_str().is_some_and(|text| !text.is_empty()))
                .unwrap()
        };
        assert!(begins("reasoning") < begins("content"));
        let usage = chunks.iter().rfind(|chunk| chunk["usage"].is_object()).unwrap();
        assert_eq!(usage["usage"], whole["usage"]);
    });
}

#[test]
fn a_thought_takes_few_requests_and_no_local_work() {
    run(async {
        let pair = Pair::new(TAGS, true).await;
        let address = pair.proxy(&[]).await;
        let mut body = question(DINNER);
        body["max_tokens"] = json!(400);
        body["costeer"] = json!({"trace": true});
        let answer = steered(address, &body).await;
        let positions = answer["costeer"]["trace"][0]["positions"].as_array().unwrap();
        let (thought, prose): (Vec<&Value>, Vec<&Value>) =
            positions.iter().partition(|position| position["phase"] == "reasoning");
        assert_eq!(thought.len() as u64, answer["costeer"]["reasoning"].as_u64().unwrap());
        for position in &thought {
            assert_eq!(position["steered"], false);
            let listed = position["candidates"].as_array().unwrap();
            assert!(listed.iter().all(|one| one["delta"] == 0.0), "{position}");
            assert_eq!(position["seconds"]["local_wait"], 0.0);
        }
        assert!(prose.iter().all(|position| position["phase"] == "prose"));
        let requests = thought.last().unwrap()["request"].as_u64().unwrap();
        assert!(requests <= 3, "{requests} requests for {} tokens", thought.len());
    });
}

#[test]
fn a_limit_within_a_thought_leaves_no_content() {
    run(async {
        for marks in ALL {
            let pair = Pair::new(marks, true).await;
            let address = pair.proxy(&[]).await;
            let mut body = question(DINNER);
            body["max_tokens"] = json!(12);
            let answer = steered(address, &body).await;
            let choice = &answer["choices"][0];
            assert_eq!(choice["finish_reason"], "length");
            assert_eq!(choice["message"]["content"], Value::Null);
            let begun = choice["message"]["reasoning"].as_str().unwrap();
            assert!(!begun.is_empty() && THOUGHT.starts_with(begun), "{begun:?}");
            assert_eq!(
                (assert_counted(&answer), &answer["usage"]["completion_tokens"]),
                (12, &json!(12))
            );
        }
    });
}

#[test]
fn stops_and_log_probabilities_are_those_of_the_answer() {
    run(async {
        let pair = Pair::new(TAGS, true).await;
        let address = pair.proxy(&[]).await;
        let mut body = question(DINNER);
        body["max_tokens"] = json!(400);
        body["stop"] = json!(["soup"]);
        body["logprobs"] = json!(true);
        let answer = steered(address, &body).await;
        assert_eq!(answer["choices"][0]["message"]["reasoning"], THOUGHT);
        let listed = answer["choices"][0]["logprobs"]["content"].as_array().unwrap();
        let joined: String = listed.iter().map(|token| token["token"].as_str().unwrap()).collect();
        assert!(
            joined.starts_with(&content(&answer)) && !joined.contains("They want"),
            "{joined}"
        );
    });
}

#[test]
fn a_thought_may_be_echoed() {
    run(async {
        let pair = Pair::new(TAGS, true).await;
        let address = pair.proxy(&[]).await;
        let mut body = question(DINNER);
        let plain = json!([
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hello to you."},
            {"role": "user", "content": DINNER},
        ]);
        body["messages"] = plain;
        body["max_tokens"] = json!(400);
        let wanted = steered(address, &body).await;
        body["messages"][1]["reasoning_content"] = json!(THOUGHT);
        body["messages"][1]["reasoning"] = json!(THOUGHT);
        assert_eq!(steered(address, &body).await["choices"], wanted["choices"]);
    });
}

#[test]
fn a_small_model_that_thinks_begins_behind_an_empty_thought() {
    run(async {
        let template = "{% if add_generation_prompt %}{% if off %}{{ '<think>\\n\\n</think>\\n\\n' }}{% else %}{{ '<think>\\n' }}{% endif %}{% endif %}";
        let closed = "{% if add_generation_prompt %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}";
        let mut answers = Vec::new();
        for small in [template, closed] {
            let pair = Pair::with(TAGS, true, small).await;
            let mut body = question(DINNER);
            body["max_tokens"] = json!(400);
            let answer = steered(pair.proxy(&[]).await, &body).await;
            assert_eq!(answer["choices"][0]["message"]["reasoning"], THOUGHT);
            answers.push(content(&answer));
        }
        assert_eq!(answers[0], answers[1]);
    });
}

#[test]
fn two_vocabularies_agree_on_the_answer() {
    run(async {
        let mut answers = Vec::new();
        for thinks in [false, true] {
            let pair = Pair::new(SPECIAL, thinks).await;
            // The shipped small model has no tokens for the marks.
            let address = pair.proxy(&[("local.model", "models/tiny/slm")]).await;
            let mut body = question(DINNER);
            body["max_tokens"] = json!(400);
            let answer = steered(address, &body).await;
            assert_counted(&answer);
            answers.push(content(&answer));
        }
        assert_eq!(answers[0], answers[1]);
        assert!(answers[0].contains("vegan"), "{}", answers[0]);
    });
}

#[test]
fn a_row_of_messages_is_read_one_by_one() {
    run(async {
        let rows = Marks {
            close: "<|end|><|start|>assistant<|channel|>commentary<|message|>Let me see.<|end|>\
                    <|start|>assistant<|channel|>analysis<|message|>Easy.<|end|><|start|>assistant<|channel|>final<|message|>",
            tokens: &["<|message|>", "<|end|>"],
            ..HARMONY
        };
        // What the server is made to say before its answer is not what steering would pick.
        let plain = [("steering.strength", "0")];
        let mut body = question(DINNER);
        body["max_tokens"] = json!(400);
        let quiet = Pair::new(rows, false).await;
        let wanted = steered(quiet.proxy(&plain).await, &body).await;
        let pair = Pair::new(rows, true).await;
        let answer = steered(pair.proxy(&plain).await, &body).await;
        let message = &answer["choices"][0]["message"];
        assert_eq!(message["reasoning"], format!("{THOUGHT}\n\nEasy."));
        assert_eq!(message["content"], format!("Let me see.\n\n{}", content(&wanted)));
        assert_eq!(
            answer["choices"][0]["finish_reason"],
            wanted["choices"][0]["finish_reason"]
        );
        assert_counted(&answer);
        // With steering it may say something else, and still says no mark.
        let steers = steered(pair.proxy(&[]).await, &body).await;
        assert_counted(&steers);
        assert!(!content(&steers).contains("<|"), "{}", content(&steers));
    });
}

#[test]
fn thoughts_can_be_steered_across_two_vocabularies() {
    run(async {
        let pair = Pair::new(SPECIAL, true).await;
        let settings = |strength| {
            [
                ("local.model", "models/tiny/slm"),
                ("steering.reasoning", "steer"),
                ("steering.strength", strength),
            ]
        };
        let mut body = question(DINNER);
        body["max_tokens"] = json!(400);
        let answer = steered(pair.proxy(&settings("0")).await, &body).await;
        assert_eq!(answer["choices"][0]["message"]["reasoning"], THOUGHT);
        // The small model has its say at every position, the thought's included.
        assert_eq!(answer["costeer"]["certified"], answer["costeer"]["positions"]);
        let steers = steered(pair.proxy(&settings("1.5")).await, &body).await;
        assert!(steers["choices"][0]["message"]["reasoning"].is_string(), "{steers}");
        assert!(steers["costeer"]["changed"].as_u64() > Some(0), "{}", steers["costeer"]);
    });
}

#[test]
fn a_host_with_chat_completions_only_has_thoughts_too() {
    run(async {
        for marks in [TAGS, SPELLED] {
            let pair = Pair::new(marks, true).await;
            let mut body = question(DINNER);
            body["max_tokens"] = json!(400);
            let wanted = steered(pair.proxy(&[]).await, &body).await;
            let tokenizer = Arc::new(Tokenizer::load(pair.llm.path()).unwrap());
            let host = chat_host_of(Host::Continues, pair.upstream, tokenizer).await;
            let answer = steered(pair.proxy_of(host, &[]).await, &body).await;
            let message = &answer["choices"][0]["message"];
            assert_eq!(message["reasoning"], THOUGHT, "{}", marks.open);
            assert_eq!(content(&answer), content(&wanted));
        }
    });
}

#[test]
fn thoughts_can_be_steered_and_their_marks_be_named() {
    run(async {
        let pair = Pair::new(TAGS, true).await;
        let settings = [("steering.reasoning", "steer"), ("steering.strength", "0")];
        let mut body = question(DINNER);
        body["max_tokens"] = json!(400);
        let answer = steered(pair.proxy(&settings).await, &body).await;
        assert_eq!(answer["choices"][0]["message"]["reasoning"], THOUGHT);
        let (certified, reasoning) = (&answer["costeer"]["certified"], &answer["costeer"]["reasoning"]);
        assert!(certified.as_u64() > reasoning.as_u64(), "{}", answer["costeer"]);

        let odd = Marks {
            open: "((",
            close: "))",
            tokens: &[],
            template: "",
            ..TAGS
        };
        let pair = Pair::new(odd, true).await;
        let settings = [("upstream.thinking_markers", "((,))")];
        let answer = steered(pair.proxy(&settings).await, &body).await;
        assert_eq!(answer["choices"][0]["message"]["reasoning"], THOUGHT);
    });
}

#[test]
fn without_a_context_and_to_texts_the_upstreams_own_bytes_come_back() {
    run(async {
        let pair = Pair::new(TAGS, true).await;
        let address = pair.proxy(&[]).await;
        let mut body = question(DINNER);
        body["max_tokens"] = json!(400);
        let own: Value = ask(pair.upstream, &body, &[]).await.json().await.unwrap();
        let passed: Value = ask(address, &body, &[]).await.json().await.unwrap();
        assert_eq!(passed["choices"], own["choices"]);
        assert!(content(&passed).starts_with("<think>"));
        let text = json!({"prompt": "I like", "max_tokens": 8, "temperature": 0});
        let steered = post(
            address,
            "/v1/completions",
            text.to_string(),
            &[("x-costeer-context", CONTEXT)],
        )
        .await;
        let steered: Value = steered.json().await.unwrap();
        assert_eq!(steered["costeer"]["reasoning"], 0);
        assert_eq!(steered["usage"].get("completion_tokens_details"), None);
    });
}
