//! Servers with text completions, by doubles in front of the demo server. They answer in the shapes that the servers' sources and API references
//! show, and lose what those lose. mlx-lm's own server is tried by `tests/upstreams/run.sh mlx`.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use costeer::upstream::{Caller, Driver, Upstream};
use costeer::vocabulary::{TokenId, Tokenizer};
use futures::StreamExt;
use serde_json::{Map, Value, json};

use crate::conformity::{request, server};
use crate::drivers::complete;
use crate::parity::{PAPER, partings};
use crate::support::{self, CONTEXT, DINNER, ask, proxy, question, run, serve, upstream};

static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(|| support::tokenizer("llm"));

/// Which server a double takes after.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Like {
    /// Ten candidates with numbers; parts of characters have no text.
    KoboldCpp,
    /// The vocabulary's own names, in no order, and nothing about which was sampled. It fails where a prompt is what it has said itself.
    Mlx,
    /// Streamed columns of names; parts of characters are U+FFFD, and the end of turn is not listed.
    TabbyApi,
    /// Streamed entries whose candidates are numbers.
    MistralRs,
    /// Columns of names; fields that it does not know are refused.
    TensorRtLlm,
    /// Nothing that is known: columns of names, at most five, and a word of its own for the end.
    Unknown,
}

const ALL: [Like; 6] = [
    Like::KoboldCpp,
    Like::Mlx,
    Like::TabbyApi,
    Like::MistralRs,
    Like::TensorRtLlm,
    Like::Unknown,
];

impl Like {
    fn longest(self) -> usize {
        match self {
            Self::KoboldCpp => 10,
            Self::Mlx => 11,
            Self::Unknown => 5,
            _ => 20,
        }
    }

    fn lists_ends(self) -> bool {
        !matches!(self, Self::TabbyApi | Self::Unknown)
    }

    /// A token as it names it.
    fn name(self, id: u32) -> String {
        let bytes = TOKENIZER.bytes().get(TokenId(id));
        match self {
            Self::Mlx => TOKENIZER.name(TokenId(id)),
            Self::KoboldCpp => String::from_utf8_lossy(bytes).replace(char::REPLACEMENT_CHARACTER, ""),
            Self::TensorRtLlm if bytes.is_empty() => TOKENIZER.name(TokenId(id)),
            _ => String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    fn entry(self, id: u32, logprob: f64) -> Value {
        match self {
            Self::KoboldCpp => {
                json!({"token": self.name(id), "token_id": id, "logprob": logprob, "bytes": self.name(id).as_bytes()})
            }
            Self::Mlx => json!({"id": id, "token": self.name(id), "logprob": logprob}),
            Self::MistralRs => json!({"token": id, "bytes": self.name(id), "logprob": logprob}),
            _ => json!({"token": self.name(id), "logprob": logprob}),
        }
    }

    /// The lists of some positions.
    fn lists(self, tokens: &[u32], lists: &[Vec<(u32, f64)>]) -> Value {
        let logprob = |id: &u32, list: &[(u32, f64)]| {
            list.iter()
                .find(|(other, _)| other == id)
                .map_or(-1e4, |(_, logprob)| *logprob)
        };
        if matches!(self, Self::KoboldCpp | Self::Mlx | Self::MistralRs) {
            let whole = |(id, list): (&u32, &Vec<(u32, f64)>)| {
                let mut list: Vec<_> = list.iter().take(self.longest()).copied().collect();
                let mut entry = self.entry(*id, logprob(id, &list));
                if self == Self::Mlx {
                    list.reverse();
                    entry = self.entry(list[0].0, list[0].1);
                }
                if self == Self::MistralRs {
                    entry["token"] = json!(self.name(*id));
                    entry["bytes"] = Value::Null;
                }
                entry["top_logprobs"] = list.iter().map(|(id, logprob)| self.entry(*id, *logprob)).collect();
                entry
            };
            let content: Vec<Value> = tokens.iter().zip(lists).map(whole).collect();
            return json!({"content": content});
        }
        let column = |list: &Vec<(u32, f64)>| -> Map<String, Value> {
            let list = list.iter().take(self.longest());
            list.map(|(id, logprob)| (self.name(*id), json!(logprob))).collect()
        };
        json!({
            "tokens": tokens.iter().map(|id| self.name(*id)).collect::<Vec<_>>(),
            "token_logprobs": tokens.iter().zip(lists).map(|(id, list)| logprob(id, list)).collect::<Vec<_>>(),
            "top_logprobs": lists.iter().map(column).collect::<Vec<_>>(),
            "text_offset": null,
        })
    }

    fn refusal(self, body: &Value) -> Option<Response> {
        let refuse = |words: &str| Some((StatusCode::BAD_REQUEST, Json(json!({"error": words}))).into_response());
        let asked = body["top_logprobs"].as_u64().or(body["logprobs"].as_u64()).unwrap_or(0) as usize;
        let known = [
            "model",
            "prompt",
            "max_tokens",
            "temperature",
            "top_p",
            "presence_penalty",
            "frequency_penalty",
            "stream",
            "logprobs",
        ];
        match self {
            Self::Mlx if body["logprobs"] != json!(true) => refuse("logprobs must be of type bool"),
            Self::Mlx | Self::Unknown if asked > self.longest() => refuse("top_logprobs is too high"),
            Self::TensorRtLlm
                if body
                    .as_object()
                    .unwrap()
                    .keys()
                    .any(|name| !known.contains(&name.as_str())) =>
            {
                refuse("Extra inputs are not permitted")
            }
            Self::TensorRtLlm if body["model"] != json!("tiny-llm") => refuse("field required: model"),
            _ => None,
        }
    }
}

/// Prompts with the answers that a double gave to them, by its address.
type Given = Arc<Mutex<HashSet<Vec<u32>>>>;

async fn completions(State((like, given)): State<(Like, Given)>, Json(body): Json<Value>) -> Response {
    if let Some(refusal) = like.refusal(&body) {
        return refusal;
    }
    let prompt = TOKENIZER.encode(body["prompt"].as_str().unwrap()).unwrap();
    let prompt: Vec<u32> = prompt.iter().map(|id| id.0).collect();
    if like == Like::Mlx && given.lock().unwrap().contains(&prompt) {
        return (StatusCode::NOT_FOUND, Json(json!({"error": "generation thread died"}))).into_response();
    }
    let (mut lists, tokens, finish) = complete(prompt.clone(), &body["max_tokens"], &json!(20), &Value::Null).await;
    for list in &mut lists {
        list.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
    }
    given.lock().unwrap().insert([prompt, tokens.clone()].concat());
    let ends = TOKENIZER.ends();
    let listed = if like.lists_ends() {
        tokens.len()
    } else {
        tokens.iter().take_while(|id| !ends.contains(&TokenId(**id))).count()
    };
    let finish = if like == Like::Unknown && finish == "stop" {
        "eos".to_owned()
    } else {
        finish
    };
    let event = |from: usize, to: usize, text: String, finish: Option<&String>| {
        let mut logprobs = like.lists(&tokens[from..to], &lists[from..to]);
        if like == Like::MistralRs && body["stream"] == json!(true) {
            logprobs = logprobs["content"][0].take();
        }
        json!({"object": "text_completion", "choices": [{"index": 0, "text": text, "logprobs": logprobs, "finish_reason": finish}]})
    };
    let text = |ids: &[u32]| -> Vec<u8> {
        ids.iter()
            .flat_map(|id| TOKENIZER.bytes().get(TokenId(*id)))
            .copied()
            .collect()
    };
    if body["stream"] != json!(true) {
        let text = String::from_utf8_lossy(&text(&tokens)).into_owned();
        return Json(event(0, listed, text, Some(&finish))).into_response();
    }
    assert!(
        matches!(like, Like::TabbyApi | Like::MistralRs | Like::TensorRtLlm),
        "{like:?} streams no lists"
    );
    // The text of a character comes with its last token.
    let (mut events, mut held) = (String::new(), Vec::new());
    for position in 0..listed {
        held.extend(text(&tokens[position..=position]));
        let shown = String::from_utf8(held.clone())
            .inspect(|_| held.clear())
            .unwrap_or_default();
        events.push_str(&format!("data: {}\n\n", event(position, position + 1, shown, None)));
    }
    let last = json!({"choices": [{"index": 0, "text": "", "logprobs": null, "finish_reason": finish}]});
    events.push_str(&format!("data: {last}\n\ndata: [DONE]\n\n"));
    ([("content-type", "text/event-stream")], Body::from(events)).into_response()
}

/// A double that streams its lists.
pub async fn streaming() -> SocketAddr {
    double(Like::TabbyApi).await
}

async fn double(like: Like) -> SocketAddr {
    let models = |State((like, _)): State<(Like, Given)>| async move {
        let mut model = json!({"id": "tiny-llm", "object": "model"});
        let owner = match like {
            Like::KoboldCpp => "koboldcpp",
            Like::Mlx => "",
            Like::TabbyApi => "tabbyAPI",
            Like::MistralRs => "local",
            Like::TensorRtLlm => "tensorrt_llm",
            Like::Unknown => "somebody",
        };
        if !owner.is_empty() {
            model["owned_by"] = json!(owner);
        }
        let server = if like == Like::Mlx {
            "BaseHTTP/0.6 Python/3.11.7"
        } else {
            "uvicorn"
        };
        ([("server", server)], Json(json!({"object": "list", "data": [model]})))
    };
    let routes = Router::new()
        .route("/v1/models", get(models))
        .route("/v1/completions", post(completions));
    let routes = match like {
        Like::KoboldCpp => {
            let version = json!({"result": "KoboldCpp", "version": "1.101"});
            routes.route("/api/extra/version", get(|| async { Json(version) }))
        }
        Like::Mlx => routes.route("/health", get(|| async { Json(json!({"status": "ok"})) })),
        Like::TabbyApi => {
            let properties = json!({"default_generation_settings": {}, "total_slots": 1, "chat_template": ""});
            let info = json!({"version": 0.1, "software": {"name": "TabbyAPI"}});
            routes
                .route("/props", get(|| async { Json(properties) }))
                .route("/.well-known/serviceinfo", get(|| async { Json(info) }))
        }
        Like::MistralRs => {
            let openapi = json!({"openapi": "3.1.0", "info": {"title": "mistralrs-server"}});
            routes.route("/api-doc/openapi.json", get(|| async { Json(openapi) }))
        }
        Like::TensorRtLlm => routes.route("/version", get(|| async { Json(json!({"version": "1.2.0"})) })),
        Like::Unknown => routes,
    };
    serve(routes.with_state((like, Given::default()))).await
}

/// What the driver is configured to be.
fn driver(like: Like) -> (Driver, &'static str) {
    match like {
        Like::Unknown => (Driver::Completions, "completions"),
        _ => (Driver::Auto, "auto"),
    }
}

#[test]
fn servers_are_recognised_by_two_signs_and_say_how_much_they_list() {
    run(async {
        for like in ALL {
            let server = server(double(like).await, driver(like).0);
            let description = server.describe(&Caller::default()).await.unwrap();
            assert_eq!(description.driver, Driver::Completions, "{like:?}");
            assert_eq!(description.limits.longest_list, Some(like.longest()), "{like:?}");
            assert!(!description.limits.by_id);
            let signs = if like == Like::Unknown {
                "upstream.driver"
            } else {
                " and "
            };
            assert!(description.signs.contains(signs), "{}", description.signs);
        }
    });
}

#[test]
fn steered_text_is_the_same_over_text_completions() {
    run(async {
        for like in ALL {
            let longest = like.longest().to_string();
            // The same lists, as short, by ids.
            let settings = [("upstream.top_k", longest.as_str())];
            let (ours, address) = proxy(
                double(like).await,
                &[settings[0], ("upstream.driver", driver(like).1), PAPER],
            )
            .await;
            if like.longest() == 20 && like.lists_ends() {
                let (positions, partings) = partings(&ours, "system-20.jsonl", 6).await;
                assert!(
                    partings.iter().all(|parting| parting.margin < 1e-3),
                    "{like:?}, {positions} positions: {partings:?}"
                );
            }
            let (_theirs, expected) = proxy(upstream().await, &[settings[0], PAPER]).await;
            let context = [("x-costeer-context", CONTEXT)];
            let said =
                async |address| -> Value { ask(address, &question(DINNER), &context).await.json().await.unwrap() };
            let (answer, expected) = (said(address).await, said(expected).await);
            if like.lists_ends() {
                assert_eq!(answer["choices"], expected["choices"], "{like:?}: {answer}");
            } else {
                // Where the host ends its turn, there is nothing else to pick.
                assert_eq!(answer["choices"][0]["finish_reason"], "stop", "{like:?}: {answer}");
            }
        }
    });
}

/// The model is made to go on with texts whose characters are several tokens each, and is left inside one of them.
#[test]
fn characters_of_several_tokens_come_whole_over_text_completions() {
    run(async {
        for like in ALL {
            let (ours, theirs) = (
                server(double(like).await, driver(like).0),
                server(upstream().await, Driver::Auto),
            );
            let mut compared = 0;
            for text in ["日本日本日本日本日本", "🦀🦀🦀🦀🦀🦀🦀🦀", "ж ж ж ж ж ж"] {
                let ids = TOKENIZER.encode(text).unwrap();
                for cut in 0..3 {
                    let prefix = ids[..ids.len() - cut].to_vec();
                    let ours: Vec<_> = ours
                        .positions(request(prefix.clone(), 12))
                        .await
                        .unwrap()
                        .collect()
                        .await;
                    let theirs: Vec<_> = theirs.positions(request(prefix, 12)).await.unwrap().collect().await;
                    for (ours, theirs) in ours.into_iter().zip(theirs) {
                        // Inside a character that the model itself does not go on with, nothing can be sent.
                        let Ok(ours) = ours else { break };
                        assert_eq!(ours.draft, theirs.unwrap().draft, "{like:?}: {text}, {cut} left out");
                        compared += 1;
                    }
                }
            }
            assert!(compared > 5, "{like:?}: {compared}");
        }
    });
}

/// Every third answer breaks off in the middle.
#[test]
fn an_answer_that_is_cut_is_asked_for_again() {
    run(async {
        for like in [Like::KoboldCpp, Like::TabbyApi] {
            let behind = double(like).await;
            let count = Arc::new(AtomicUsize::new(0));
            let breaking = |State((behind, count)): State<(SocketAddr, Arc<AtomicUsize>)>,
                            method: Method,
                            uri: Uri,
                            body: Bytes| async move {
                let answer = reqwest::Client::new()
                    .request(method.clone(), format!("http://{behind}{uri}"))
                    .header("content-type", "application/json")
                    .body(body)
                    .send()
                    .await
                    .unwrap();
                let mut response = Response::builder().status(answer.status());
                for name in ["content-type", "server"] {
                    response = response.header(
                        name,
                        answer
                            .headers()
                            .get(name)
                            .unwrap_or(&HeaderValue::from_static("text/plain")),
                    );
                }
                let mut bytes = answer.bytes().await.unwrap();
                let breaks = method == Method::POST && count.fetch_add(1, Ordering::SeqCst) % 3 == 2;
                bytes.truncate(if breaks { bytes.len() / 2 } else { bytes.len() });
                let end = breaks.then(|| Err(std::io::Error::other("cut")));
                let parts = std::iter::once(Ok(bytes)).chain(end);
                response.body(Body::from_stream(futures::stream::iter(parts))).unwrap()
            };
            let gateway = Router::new()
                .fallback(breaking)
                .with_state((behind, Arc::clone(&count)));
            let settings = [("upstream.retries", "3")];
            let context = [("x-costeer-context", CONTEXT)];
            let (_whole, expected) = proxy(behind, &settings).await;
            let (_broken, address) = proxy(serve(gateway).await, &settings).await;
            let expected: Value = ask(expected, &question(DINNER), &context).await.json().await.unwrap();
            let answer: Value = ask(address, &question(DINNER), &context).await.json().await.unwrap();
            assert_eq!(answer["choices"], expected["choices"], "{like:?}: {answer}");
            assert!(count.load(Ordering::SeqCst) > 6);
        }
    });
}

#[test]
fn a_host_that_cannot_be_used_says_why() {
    run(async {
        let models = || async { Json(json!({"data": [{"id": "tiny-llm", "owned_by": "somebody"}]})) };
        let cases: [(Value, &str); 4] = [
            (json!({"text": " lively dinner", "logprobs": null}), "without logprobs"),
            (
                json!({"text": " zzz", "logprobs": {"tokens": [" qqzz"], "top_logprobs": [{" qqzz": -0.1, "b": -3}]}}),
                "none of the local vocabulary",
            ),
            (
                json!({"text": " a dinner a", "logprobs": {"tokens": ["a", "a"], "top_logprobs": [{"a": -0.1, "b": -3}, {"a": -0.1, "b": -3}]}}),
                "leaves spaces out of names",
            ),
            (
                json!({"text": " a", "logprobs": {"tokens": [" a"], "top_logprobs": [{" a": -0.1}]}}),
                "without logprobs",
            ),
        ];
        for (choice, words) in cases {
            let answer = move || async move { Json(json!({"choices": [choice]})) };
            let routes = Router::new()
                .route("/v1/models", get(models))
                .route("/v1/completions", post(answer));
            let (_proxy, address) = proxy(serve(routes).await, &[("upstream.driver", "completions")]).await;
            let answer = ask(address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
            let status = answer.status();
            let answer: Value = answer.json().await.unwrap();
            let message = answer["error"]["message"].as_str().unwrap();
            assert!(status == 502 && message.contains(words), "{status}: {message}");
        }
    });
}

#[test]
fn a_host_that_puts_texts_into_chats_is_refused() {
    run(async {
        let routes = Router::new()
            .route(
                "/v1/models",
                get(|| async { Json(json!({"data": [{"id": "m", "owned_by": "somebody"}]})) }),
            )
            .route(
                "/v1/completions",
                // It always begins its answer anew.
                post(|Json(_): Json<Value>| async {
                    let names = [" a", " nice", " dinner", " a"];
                    let list = |name: &str| json!({name: -0.1, ",": -3.0});
                    let lists: Vec<Value> = names.iter().map(|name| list(name)).collect();
                    let logprobs = json!({"tokens": names, "top_logprobs": lists});
                    Json(
                        json!({"choices": [{"text": names.concat(), "logprobs": logprobs, "finish_reason": "length"}]}),
                    )
                }),
            );
        let (_proxy, address) = proxy(serve(routes).await, &[("upstream.driver", "completions")]).await;
        let answer = ask(address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
        let answer: Value = answer.json().await.unwrap();
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("does not go on where a text ends"), "{message}");
    });
}
