//! Nothing says which tokenizer the upstream's model has: the small model's counts, and the server proves that it is the same and
//! writes the prompts where its chat template is another.

use std::net::SocketAddr;
use std::process::Stdio;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use costeer::vocabulary::{ChatTemplate, Messages, RenderRequest};
use serde_json::{Value, json};

use crate::support::{CONTEXT, DINNER, ask, costeer, proxy, question, recorder, run, serve, upstream};

/// The shipped pair has one vocabulary and two chat templates.
const ASSUMED: [(&str, &str); 1] = [("upstream.tokenizer", "")];
const NAMED: [(&str, &str); 1] = [("upstream.tokenizer", "models/tiny/llm")];

async fn steered(upstream: SocketAddr, settings: &[(&'static str, &str)], body: &Value) -> Value {
    let (_, address) = proxy(upstream, settings).await;
    let answer = ask(address, body, &[("x-costeer-context", CONTEXT)]).await;
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn chats() -> [Value; 2] {
    let mut instructed = question(DINNER);
    instructed["messages"] = json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": DINNER}]);
    [question(DINNER), instructed]
}

/// The prompts that were asked for in these requests.
fn rendered(requests: &[String]) -> Vec<&String> {
    let asks = |request: &&String| request.contains("\"messages\"") && request.contains("/tokenize");
    requests.iter().filter(asks).collect()
}

#[test]
fn a_server_in_vllms_dialect_writes_its_prompts() {
    run(async {
        let (recorded, seen) = recorder(upstream().await).await;
        for body in chats() {
            let wanted = steered(upstream().await, &NAMED, &body).await;
            let answer = steered(recorded, &ASSUMED, &body).await;
            assert_eq!(answer["choices"], wanted["choices"]);
            assert_eq!(answer["usage"], wanted["usage"]);
        }
        let requests = seen.requests();
        let asked = rendered(&requests);
        assert!(asked.iter().any(|request| request.contains(DINNER)), "{asked:?}");
        let sent = requests.join("\n");
        assert!(
            !sent.contains("Ziggy") && !sent.contains("vegan") && !sent.contains("costeer"),
            "{sent}"
        );
    });
}

#[test]
fn options_of_the_template_go_to_the_server() {
    run(async {
        let (recorded, seen) = recorder(upstream().await).await;
        let settings = [ASSUMED[0], ("upstream.template_kwargs", "{\"tone\": \"warm\"}")];
        let mut body = question(DINNER);
        body["chat_template_kwargs"] = json!({"enable_thinking": false});
        steered(recorded, &settings, &body).await;
        let requests = seen.requests();
        let last = rendered(&requests)
            .into_iter()
            .rfind(|request| request.contains(DINNER))
            .unwrap();
        assert!(
            last.contains("\"tone\":\"warm\"") && last.contains("\"enable_thinking\":false"),
            "{last}"
        );
    });
}

#[test]
fn where_both_write_the_same_no_prompt_is_asked_for() {
    run(async {
        let (recorded, seen) = recorder(upstream().await).await;
        let settings = [ASSUMED[0], ("local.tokenizer", "models/tiny/llm")];
        let body = question(DINNER);
        let answer = steered(recorded, &settings, &body).await;
        assert!(answer["choices"][0]["message"]["content"].is_string());
        let requests = seen.requests();
        assert!(rendered(&requests).iter().all(|request| !request.contains(DINNER)));
    });
}

/// What a server in llama.cpp's dialect is like.
#[derive(Clone, Copy)]
struct Llama {
    /// A server in vLLM's dialect that it asks.
    upstream: SocketAddr,
    /// Entries of its vocabulary, as it says.
    vocabulary: usize,
    /// Its template takes no system message.
    refuses_system: bool,
    /// A special token that it has with another id.
    moved: Option<&'static str>,
}

async fn llama(server: Llama) -> SocketAddr {
    async fn models(State(server): State<Llama>) -> Json<Value> {
        let meta = json!({"n_ctx": 4096, "n_vocab": server.vocabulary});
        Json(json!({"data": [{"id": "tiny-llm", "owned_by": "llamacpp", "meta": meta}]}))
    }
    async fn apply(
        State(server): State<Llama>,
        Json(body): Json<Value>,
    ) -> Result<Json<Value>, (axum::http::StatusCode, String)> {
        let messages = body["messages"].as_array().unwrap();
        if server.refuses_system && messages[0]["role"] == "system" {
            return Err((axum::http::StatusCode::BAD_REQUEST, "no system role".to_owned()));
        }
        let configuration: Value =
            serde_json::from_slice(&std::fs::read("models/tiny/llm/tokenizer_config.json").unwrap()).unwrap();
        let source = configuration["chat_template"].as_str().unwrap().to_owned();
        let request = RenderRequest {
            messages: Messages::Json(messages),
            add_generation_prompt: true,
            tools: &Value::Null,
            options: &serde_json::Map::new(),
        };
        let prompt = ChatTemplate::compile(source, Vec::new())
            .unwrap()
            .render(&request)
            .unwrap();
        Ok(Json(json!({"prompt": prompt})))
    }
    async fn tokenize(State(server): State<Llama>, Json(body): Json<Value>) -> Json<Value> {
        if server
            .moved
            .is_some_and(|name| body["content"].as_str().unwrap().contains(name))
        {
            return Json(json!({"tokens": [7]}));
        }
        let asked = json!({"prompt": body["content"]});
        let answer = crate::support::post(server.upstream, "/tokenize", asked.to_string(), &[]).await;
        let answer: Value = answer.json().await.unwrap();
        Json(json!({"tokens": answer["tokens"]}))
    }
    let routes = Router::new()
        .route("/v1/models", get(models))
        .route("/apply-template", post(apply))
        .route("/tokenize", post(tokenize))
        .with_state(server);
    // What steers is tried elsewhere.
    serve(routes.merge(crate::thinking::completions(server.upstream))).await
}

#[test]
fn a_server_in_llama_cpps_dialect_writes_its_prompts() {
    run(async {
        for refuses_system in [false, true] {
            let server = Llama {
                upstream: upstream().await,
                vocabulary: 3456,
                refuses_system,
                moved: None,
            };
            let server = llama(server).await;
            let [body, instructed] = chats();
            let wanted = steered(upstream().await, &NAMED, &body).await;
            let answer = steered(server, &ASSUMED, &body).await;
            assert_eq!(answer["choices"], wanted["choices"]);
            let mut merged = question(&format!("Be brief.\n\n{DINNER}"));
            if !refuses_system {
                merged = instructed.clone();
            }
            let wanted = steered(upstream().await, &NAMED, &merged).await;
            let answer = steered(server, &ASSUMED, &instructed).await;
            assert_eq!(answer["usage"]["prompt_tokens"], wanted["usage"]["prompt_tokens"]);
        }
    });
}

#[test]
fn a_vocabulary_that_turns_out_to_be_another_is_named() {
    run(async {
        let right = Llama {
            upstream: upstream().await,
            vocabulary: 3454,
            refuses_system: false,
            moved: None,
        };
        for (server, said) in [
            (
                Llama {
                    vocabulary: 3000,
                    ..right
                },
                "it has 3000 tokens, and 3454 there",
            ),
            (
                Llama {
                    moved: Some("<|im_end|>"),
                    ..right
                },
                "its token \"<|im_end|>\" has the id 7",
            ),
            (
                Llama {
                    moved: Some("<think>"),
                    ..right
                },
                "its token \"<think>\" has the id 7, and none here",
            ),
        ] {
            let (_, address) = proxy(llama(server).await, &ASSUMED).await;
            let answer = ask(address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
            let status = answer.status();
            let text = answer.text().await.unwrap();
            assert_eq!(status, 502, "{text}");
            let answer: Value = serde_json::from_str(&text).unwrap();
            let message = answer["error"]["message"].as_str().unwrap();
            assert!(
                message.contains(said) && message.contains("set upstream.tokenizer to the tokenizer of tiny-llm"),
                "{message}"
            );
        }
    });
}

#[test]
fn the_program_does_not_go_on_with_a_vocabulary_that_is_another() {
    run(async {
        let url = format!("http://{}/v1", upstream().await);
        let serve = tokio::task::spawn_blocking(move || {
            let variables = [
                ("COSTEER__LOCAL__MODEL", "models/tiny/slm-pieces/model.gguf"),
                ("COSTEER__UPSTREAM__URL", url.as_str()),
                ("COSTEER__SERVER__LISTEN", "127.0.0.1:0"),
                ("COSTEER__STORE__PATH", "/nonexistent/profiles.db"),
            ];
            let mut command = costeer(&["serve"], &variables);
            command.stdout(Stdio::piped()).output().unwrap()
        });
        let output = serve.await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{said}");
        assert!(
            said.contains("set upstream.tokenizer to the tokenizer of tiny-llm"),
            "{said}"
        );
    });
}

#[test]
fn doctor_says_who_writes_the_prompts() {
    run(async {
        let url = format!("http://{}/v1", upstream().await);
        let doctor = tokio::task::spawn_blocking(move || {
            let variables = [("COSTEER__UPSTREAM__URL", url.as_str())];
            costeer(&["doctor"], &variables).output().unwrap()
        });
        let report = String::from_utf8(doctor.await.unwrap().stdout).unwrap();
        assert!(report.contains("so each chat is written by the server"), "{report}");
    });
}
