//! Forms that servers and gateways give to their answers. None of them changes what is said, and none may change a steered answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, Uri};
use axum::response::Response;
use serde_json::{Value, json};

use crate::completions::streaming;
use crate::drivers::{Host, chat_host, sglang};
use crate::support::{CONTEXT, DINNER, ask, content, gzip, proxy, question, run, serve, upstream};

/// What is done to an answer on its way: whether it is a stream, and its text.
type Mangle = Arc<dyn Fn(bool, &str) -> Vec<u8> + Send + Sync>;

/// A gateway that hands requests on to `upstream`, and mangles the answers to posted ones. Its answers are packed with `coding`.
async fn gateway(upstream: SocketAddr, coding: Option<&'static str>, mangle: Mangle) -> SocketAddr {
    type Way = (SocketAddr, Option<&'static str>, Mangle);
    async fn pass(State((upstream, coding, mangle)): State<Way>, method: Method, uri: Uri, body: Bytes) -> Response {
        let posted = method == Method::POST;
        let answer = reqwest::Client::new()
            .request(method, format!("http://{upstream}{uri}"))
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or("text/plain").to_owned();
        let streams = kind.contains("event-stream");
        let text = answer.text().await.unwrap();
        let bytes = if posted {
            mangle(streams, &text)
        } else {
            text.into_bytes()
        };
        let mut response = Response::builder().status(status).header("content-type", kind);
        response = match coding {
            Some(coding) => response.header("content-encoding", coding),
            None => response,
        };
        let bytes = if coding == Some("gzip") { gzip(&bytes) } else { bytes };
        response.body(Body::from(bytes)).unwrap()
    }
    serve(Router::new().fallback(pass).with_state((upstream, coding, mangle))).await
}

async fn said(address: SocketAddr, settings: &[(&'static str, &str)]) -> (u16, Value) {
    let (_proxy, proxy) = proxy(address, settings).await;
    let response = ask(proxy, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn same_as(expected: &str, address: SocketAddr, what: &str) {
    let (status, answer) = said(address, &[]).await;
    assert_eq!(status, 200, "{what}: {answer}");
    assert_eq!(content(&answer), expected, "{what}");
}

/// What is done to streams alone.
fn to_streams(change: impl Fn(&str) -> String + Send + Sync + 'static) -> Mangle {
    Arc::new(move |streams, text| {
        let changed = if streams { change(text) } else { text.to_owned() };
        changed.into_bytes()
    })
}

fn with(from: &'static str, to: &'static str) -> Mangle {
    to_streams(move |text| text.replace(from, to))
}

/// Puts an event before each event.
fn before_each(event: &'static str) -> Mangle {
    to_streams(move |text| text.replace("data: {", &format!("{event}\n\ndata: {{")))
}

#[test]
fn what_says_nothing_changes_nothing() {
    run(async {
        let servers = [
            ("vLLM", upstream().await),
            ("SGLang", sglang(true).await),
            ("chat completions", chat_host(Host::Continues).await),
            ("text completions", streaming().await),
        ];
        for (server, address) in servers {
            let (_, plain) = said(address, &[]).await;
            let expected = content(&plain);
            let forms = [
                ("CRLF", with("\n", "\r\n")),
                ("CR", with("\n", "\r")),
                ("no blank", with("data: ", "data:")),
                ("a comment", before_each(": PROCESSING")),
                (
                    "names of events",
                    with("data: {", "event: message\nid: 7\nretry: 10\ndata: {"),
                ),
                ("a byte order mark", to_streams(|text| format!("\u{feff}{text}"))),
                (
                    "choices null",
                    before_each(r#"data: {"choices":null,"usage":{"total_tokens":2}}"#),
                ),
                ("no choices", before_each(r#"data: {"id":"x","usage":null}"#)),
                (
                    "choices empty",
                    before_each(r#"data: {"choices":[],"prompt_filter_results":[]}"#),
                ),
                ("error null", with("data: {", r#"data: {"error":null,"#)),
                (
                    "an empty reason",
                    with(r#""finish_reason":null"#, r#""finish_reason":"""#),
                ),
                ("text null", with(r#""text":"""#, r#""text":null"#)),
            ];
            for (form, mangle) in forms {
                let what = format!("{server}, {form}");
                same_as(&expected, gateway(address, None, mangle).await, &what).await;
            }
            let plain: Mangle = Arc::new(|_, text| text.as_bytes().to_vec());
            same_as(
                &expected,
                gateway(address, Some("gzip"), plain).await,
                &format!("{server}, packed"),
            )
            .await;
        }
    });
}

#[test]
fn a_coding_that_nobody_knows_is_named() {
    run(async {
        let plain: Mangle = Arc::new(|_, text| text.as_bytes().to_vec());
        let (status, answer) = said(gateway(upstream().await, Some("snappy"), plain).await, &[]).await;
        assert_eq!(status, 502, "{answer}");
        assert!(
            answer["error"]["message"].as_str().unwrap().contains("snappy"),
            "{answer}"
        );
    });
}

/// Some gateways answer a refusal with status 200.
#[test]
fn a_refusal_with_status_200_is_passed_on_in_the_servers_words() {
    run(async {
        for (body, status) in [
            (json!({"error": {"message": "the model is loading", "code": 503}}), 503),
            (json!({"error": {"message": "the model is loading", "code": 402}}), 502),
            (json!({"error": "the model is loading"}), 502),
            (
                json!({"object": "error", "message": "the model is loading", "code": 400}),
                400,
            ),
        ] {
            let models = || async { axum::Json(json!({"data": [{"id": "tiny-llm", "owned_by": "vllm"}]})) };
            let shown = body.to_string();
            let refuse = move || async move { axum::Json(body) };
            let routes = Router::new()
                .route("/v1/models", axum::routing::get(models))
                .fallback(refuse);
            let (given, answer) = said(serve(routes).await, &[("upstream.retries", "0")]).await;
            let message = answer["error"]["message"].as_str().unwrap();
            assert!(message.contains("the model is loading"), "{shown}: {message}");
            assert_eq!(given, status, "{shown}: {message}");
        }
    });
}

/// vLLM gives two candidates where another request of its batch asks for single tokens. That happens to single questions, too.
#[test]
fn a_short_list_is_asked_for_again() {
    run(async {
        let settings = [("steering.exactness", "refetch"), ("upstream.top_k", "5")];
        let (_, plain) = said(upstream().await, &settings).await;
        let questions = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&questions);
        let shorten: Mangle = Arc::new(move |streams, text| {
            let Ok(mut answer) = serde_json::from_str::<Value>(text) else {
                return text.as_bytes().to_vec();
            };
            let list = answer.pointer_mut("/choices/0/logprobs/top_logprobs/0");
            if let Some(list) = list.and_then(Value::as_object_mut).filter(|_| !streams) {
                // Every other one.
                if counted.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
                    let kept: Vec<_> = list.clone().into_iter().take(2).collect();
                    *list = kept.into_iter().collect();
                }
            }
            answer.to_string().into_bytes()
        });
        let (status, answer) = said(gateway(upstream().await, None, shorten).await, &settings).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(content(&answer), content(&plain));
        assert!(questions.load(Ordering::SeqCst) > 2);
    });
}
