//! Drivers whose servers cannot be started here, tried on doubles that answer in the recorded and documented shapes and compute with
//! the demo server; and what servers answer that is no use to anybody.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use costeer::upstream::{Caller, Driver};
use costeer::vocabulary::{ChatMessage, Role, TokenId, Tokenizer};
use serde_json::{Value, json};

use crate::conformity::server;
use crate::support::{
    self, CONTEXT, Change, DINNER, ask, between, content, proxy, question, recorder, run, scripted, serve, upstream,
};

static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(|| support::tokenizer("llm"));

/// A completion by the demo server: sampled tokens and their lists, and why it ended.
pub async fn complete(
    prompt: Vec<u32>,
    positions: &Value,
    top: &Value,
    ids: &Value,
) -> (Vec<Vec<(u32, f64)>>, Vec<u32>, String) {
    let mut body = json!({"prompt": prompt, "max_tokens": positions, "logprobs": top, "temperature": 0.0,
        "return_tokens_as_token_ids": true, "return_token_ids": true});
    if ids.is_array() {
        body["logprob_token_ids"] = ids.clone();
        body["logprobs"] = json!(1);
    }
    complete_at(upstream().await, body).await
}

/// The same of the server at `address`, as it answers to `body`.
async fn complete_at(address: SocketAddr, body: Value) -> (Vec<Vec<(u32, f64)>>, Vec<u32>, String) {
    let answer: Value = support::post(address, "/v1/completions", body.to_string(), &[])
        .await
        .json()
        .await
        .unwrap();
    let choice = &answer["choices"][0];
    let id = |name: &str| name.strip_prefix("token_id:").unwrap().parse::<u32>().unwrap();
    let lists = choice["logprobs"]["top_logprobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|list| {
            let list = list.as_object().unwrap().iter();
            list.map(|(name, logprob)| (id(name), logprob.as_f64().unwrap()))
                .collect()
        });
    let tokens = choice["token_ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_u64().unwrap() as u32);
    (
        lists.collect(),
        tokens.collect(),
        choice["finish_reason"].as_str().unwrap().to_owned(),
    )
}

fn events(events: impl IntoIterator<Item = Value>) -> Response {
    let events = events.into_iter().map(|event| format!("data: {event}\n\n"));
    let text = events.chain(["data: [DONE]\n\n".to_owned()]).collect::<String>();
    ([("content-type", "text/event-stream")], Body::from(text)).into_response()
}

/// SGLang, which repeats all lists in every event unless it is told to stream increments.
pub async fn sglang(incremental: bool) -> SocketAddr {
    async fn generate(State(incremental): State<bool>, Json(body): Json<Value>) -> Response {
        let prompt = serde_json::from_value(body["input_ids"].clone()).unwrap();
        let parameters = &body["sampling_params"];
        let wanted = (
            &parameters["max_new_tokens"],
            &body["top_logprobs_num"],
            &body["token_ids_logprob"],
        );
        let (lists, tokens, finish) = complete(prompt, wanted.0, wanted.1, wanted.2).await;
        let entry = |id: u32, logprob: f64| json!([logprob, id, null]);
        let list =
            |list: &Vec<(u32, f64)>| -> Value { list.iter().map(|(id, logprob)| entry(*id, *logprob)).collect() };
        let sampled: Vec<Value> = tokens.iter().map(|id| entry(*id, -0.1)).collect();
        let lists: Vec<Value> = lists.iter().map(list).collect();
        let whole = |from: usize, to: usize| {
            let finish = (to == tokens.len()).then(|| json!({"type": finish}));
            let ids = body["token_ids_logprob"].is_array();
            json!({"text": "", "output_ids": &tokens[from..to], "meta_info": {
                "finish_reason": finish, "completion_tokens": to,
                "output_token_logprobs": &sampled[from..to],
                "output_top_logprobs": if ids { json!([]) } else { json!(&lists[from..to]) },
                "output_token_ids_logprobs": if ids { json!(&lists[from..to]) } else { Value::Null },
            }})
        };
        if body["stream"] == json!(true) {
            let first = |to: usize| if incremental { to - 1 } else { 0 };
            return events((1..=tokens.len()).map(|to| whole(first(to), to)));
        }
        Json(whole(0, tokens.len())).into_response()
    }
    let models = || async { Json(json!({"data": [{"id": "tiny-llm", "owned_by": "sglang", "max_model_len": 4096}]})) };
    let tokenize = |Json(body): Json<Value>| async move {
        let ids = TOKENIZER.encode(body["prompt"].as_str().unwrap()).unwrap();
        let ids: Vec<u32> = ids.iter().map(|id| id.0).collect();
        Json(json!({"count": ids.len(), "max_model_len": 4096, "tokens": ids}))
    };
    let routes = Router::new()
        .route("/v1/models", get(models))
        .route("/tokenize", post(tokenize))
        .route("/generate", post(generate));
    serve(routes.with_state(incremental)).await
}

/// How a host with chat completions only treats an assistant's message at the end.
#[derive(Clone, Copy, PartialEq)]
pub enum Host {
    /// It goes on with it when told so by vLLM's two fields.
    Continues,
    /// It goes on with it when told so by a flag on the message, and refuses other fields.
    WantsPrefix,
    /// It closes it and starts a new turn, whatever it is told.
    StartsAnew,
}

pub async fn chat_host(host: Host) -> SocketAddr {
    chat_host_of(host, upstream().await, Arc::new(support::tokenizer("llm"))).await
}

/// A host that has the server at `address`, which has this tokenizer, write what it says.
pub async fn chat_host_of(host: Host, address: SocketAddr, tokenizer: Arc<Tokenizer>) -> SocketAddr {
    type Behind = (Host, SocketAddr, Arc<Tokenizer>);
    async fn chat(State((host, address, tokenizer)): State<Behind>, Json(body): Json<Value>) -> Response {
        let mut messages: Vec<ChatMessage> = Vec::new();
        let mut flagged = false;
        for message in body["messages"].as_array().unwrap() {
            let role = match message["role"].as_str().unwrap() {
                "system" => Role::System,
                "user" => Role::User,
                _ => Role::Assistant,
            };
            flagged = message["prefix"] == json!(true);
            messages.push(ChatMessage::new(role, message["content"].as_str().unwrap()));
        }
        let told = body["continue_final_message"] == json!(true) && body["add_generation_prompt"] == json!(false);
        if host == Host::WantsPrefix && told {
            let refusal = json!({"error": {"message": "unknown field continue_final_message", "code": 400}});
            return (axum::http::StatusCode::BAD_REQUEST, Json(refusal)).into_response();
        }
        let goes_on = (host == Host::Continues && told) || (host == Host::WantsPrefix && flagged);
        let begun = messages.pop_if(|last| goes_on && last.role == Role::Assistant);
        let mut prompt = tokenizer.chat_prompt(&messages).unwrap();
        prompt.extend(begun.iter().flat_map(|begun| tokenizer.encode(&begun.content).unwrap()));
        let prompt: Vec<u32> = prompt.iter().map(|id| id.0).collect();
        let asked = json!({"prompt": prompt, "max_tokens": body["max_tokens"], "logprobs": body["top_logprobs"], "temperature": 0.0,
            "return_tokens_as_token_ids": true, "return_token_ids": true});
        let (lists, tokens, finish) = complete_at(address, asked).await;
        let entry = |id: u32, logprob: f64| {
            let bytes = tokenizer.bytes().get(TokenId(id));
            json!({"token": String::from_utf8_lossy(bytes), "bytes": bytes, "logprob": logprob})
        };
        let content: Vec<Value> = tokens
            .iter()
            .zip(&lists)
            .map(|(id, list)| {
                let logprob = list.iter().find(|(other, _)| other == id).unwrap().1;
                let mut whole = entry(*id, logprob);
                whole["top_logprobs"] = list.iter().map(|(id, logprob)| entry(*id, *logprob)).collect();
                whole
            })
            .collect();
        let text = tokens
            .iter()
            .map(|id| String::from_utf8_lossy(tokenizer.bytes().get(TokenId(*id))))
            .collect::<String>();
        let choice = json!({"index": 0, "delta": {"content": text}, "message": {"role": "assistant", "content": text},
            "logprobs": {"content": content}, "finish_reason": finish});
        let answer = json!({"choices": [choice]});
        if body["stream"] == json!(true) {
            events([answer])
        } else {
            Json(answer).into_response()
        }
    }
    let models = || async { Json(json!({"data": [{"id": "tiny-llm", "owned_by": "somebody"}]})) };
    let routes = Router::new()
        .route("/v1/models", get(models))
        .route("/v1/chat/completions", post(chat));
    serve(routes.with_state((host, address, tokenizer))).await
}

async fn answer(address: SocketAddr, settings: &[(&'static str, &str)]) -> String {
    let (_proxy, proxy) = proxy(address, settings).await;
    let response = ask(proxy, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
    let status = response.status();
    let answer: Value = response.json().await.unwrap();
    assert_eq!(status, 200, "{answer}");
    content(&answer)
}

#[test]
fn sglang_gives_the_same_answer_streaming_increments_or_not() {
    run(async {
        for exactness in ["certify", "refetch", "refetch-ids"] {
            let settings = [("steering.exactness", exactness), ("upstream.top_k", "5")];
            let expected = answer(upstream().await, &settings).await;
            for incremental in [false, true] {
                assert_eq!(
                    answer(sglang(incremental).await, &settings).await,
                    expected,
                    "{exactness}"
                );
            }
        }
    });
}

#[test]
fn a_host_with_chat_completions_only_continues_the_message() {
    run(async {
        let expected = answer(upstream().await, &[]).await;
        for host in [Host::Continues, Host::WantsPrefix] {
            assert_eq!(answer(chat_host(host).await, &[]).await, expected);
        }
    });
}

/// What travels is text, so a picked part of a character could not be sent back.
#[test]
fn a_longer_list_of_such_a_host_brings_no_parts_of_characters() {
    run(async {
        let settings = [("steering.exactness", "refetch"), ("upstream.top_k", "5")];
        let (_proxy, proxy) = proxy(chat_host(Host::Continues).await, &settings).await;
        for seed in 0..4 {
            let mut body = question(DINNER);
            body["temperature"] = json!(2);
            body["seed"] = json!(seed);
            let response = ask(proxy, &body, &[("x-costeer-context", CONTEXT)]).await;
            let status = response.status();
            assert_eq!(status, 200, "{}", response.text().await.unwrap());
        }
    });
}

async fn refusal(address: SocketAddr, settings: &[(&'static str, &str)]) -> (u16, String) {
    let (_proxy, proxy) = proxy(address, settings).await;
    let response = ask(proxy, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
    let status = response.status().as_u16();
    let error: Value = response.json().await.unwrap();
    let message = error["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains(&address.to_string()),
        "it does not name the upstream: {message}"
    );
    (status, message)
}

#[test]
fn a_host_that_starts_a_new_turn_is_refused_with_an_explanation() {
    run(async {
        let (status, message) = refusal(chat_host(Host::StartsAnew).await, &[]).await;
        assert_eq!(status, 502);
        assert!(
            message.contains("starts a new turn") && message.contains("vLLM"),
            "{message}"
        );
    });
}

#[test]
fn every_server_that_can_tokenise_shows_which_vocabulary_it_has() {
    run(async {
        // Without an upstream.tokenizer, the upstream is taken to have the small model's.
        let settings = [("local.model", "models/tiny/slm-pieces/model.gguf")];
        for address in [upstream().await, sglang(true).await] {
            let (status, message) = refusal(address, &settings).await;
            assert_eq!(status, 502);
            assert!(
                message.contains("another vocabulary") && message.contains("upstream.tokenizer"),
                "{message}"
            );
        }
    });
}

#[test]
fn servers_are_recognised_by_what_they_list() {
    run(async {
        for (address, driver) in [
            (upstream().await, Driver::Vllm),
            (recorder(upstream().await).await.0, Driver::Vllm),
            (sglang(true).await, Driver::Sglang),
            (chat_host(Host::Continues).await, Driver::OpenaiChat),
        ] {
            let description = server(address, Driver::Auto)
                .describe(&Caller::default())
                .await
                .unwrap();
            assert_eq!(description.driver, driver);
        }
    });
}

/// One event of vLLM with these candidates.
fn listing(candidates: &str) -> &'static str {
    let event = format!(
        "data: {{\"choices\":[{{\"text\":\"a\",\"logprobs\":{{\"tokens\":[\"token_id:64\"],\"token_logprobs\":[-0.1],\
         \"top_logprobs\":[{{{candidates}}}]}},\"finish_reason\":null}}]}}\n\n"
    );
    event.leak()
}

#[test]
fn numbers_that_are_none_are_named_with_upstream_and_position() {
    run(async {
        for (candidates, needle) in [
            (
                "\"token_id:64\":-0.5,\"token_id:65\":-2.0",
                "listed 2 candidates and was asked for 20",
            ),
            ("\"token_id:64\":NaN", "cannot be understood"),
            ("\"token_id:64\":null", "\"token_id:64\" is not a number"),
            ("\"token_id:64\":0.7", "token 64 is 0.7"),
            ("\"token_id:64\":-0.1,\"token_id:65\":-0.2", "come to 1.7"),
            ("\"token_id:99999999999\":0.0", "token_id:99999999999"),
        ] {
            let (status, message) = refusal(scripted(listing(candidates)).await, &[]).await;
            assert_eq!(status, 502);
            assert!(message.contains(needle) && message.contains("position 0"), "{message}");
        }
    });
}

#[test]
fn a_web_page_is_no_answer() {
    run(async {
        let page = || async {
            (
                [("content-type", "text/html")],
                "<html><title>Welcome to nginx!</title></html>",
            )
        };
        let address = serve(Router::new().fallback(page)).await;
        let (status, message) = refusal(address, &[]).await;
        assert_eq!(status, 502);
        assert!(
            message.contains("web page") && message.contains("upstream.url"),
            "{message}"
        );
    });
}

#[test]
fn a_line_without_end_is_cut_off() {
    run(async {
        let models = || async { Json(json!({"data": [{"id": "tiny-llm", "owned_by": "vllm"}]})) };
        let endless = |request: String| async move {
            if !request.contains("\"stream\":true") {
                return axum::http::StatusCode::NOT_FOUND.into_response();
            }
            let part = axum::body::Bytes::from(vec![b'x'; 1 << 20]);
            let parts = futures::stream::repeat_with(move || Ok::<_, std::io::Error>(part.clone()));
            ([("content-type", "text/event-stream")], Body::from_stream(parts)).into_response()
        };
        let address = serve(Router::new().route("/v1/models", get(models)).fallback(endless)).await;
        let (status, message) = refusal(address, &[]).await;
        assert_eq!(status, 502);
        assert!(message.contains("longer than"), "{message}");
    });
}

#[test]
fn a_driver_that_does_not_fit_says_so() {
    run(async {
        let (status, message) = refusal(upstream().await, &[("upstream.driver", "llamacpp")]).await;
        assert_eq!(status, 404);
        assert!(message.contains("refused"), "{message}");
        let (_, message) = refusal(upstream().await, &[("upstream.driver", "openai-chat")]).await;
        assert!(message.contains("logprobs"), "{message}");
    });
}

#[test]
fn a_server_that_lists_fewer_than_it_was_asked_for_is_named() {
    run(async {
        let fewer: Change = |body| body["logprobs"] = json!(body["logprobs"].as_u64().unwrap().min(5));
        let (_, message) = refusal(between(upstream().await, fewer).await, &[]).await;
        assert!(message.contains("upstream.top_k"), "{message}");
    });
}
