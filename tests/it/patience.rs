//! How long an upstream is waited for that is there and says nothing of use.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::support::{CONTEXT, DINNER, ask, proxy, question, run, serve};

/// A server that streams this event over and over, every 50 ms.
async fn endless(event: &'static str) -> SocketAddr {
    let models = || async { Json(json!({"data": [{"id": "tiny-llm", "owned_by": "vllm"}]})) };
    let answer = move |request: String| async move {
        if !request.contains("\"stream\":true") {
            return StatusCode::NOT_FOUND.into_response();
        }
        let events = stream::repeat(event).then(|event| async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok::<_, std::io::Error>(Bytes::from_static(event.as_bytes()))
        });
        ([("content-type", "text/event-stream")], Body::from_stream(events)).into_response()
    };
    serve(Router::new().route("/v1/models", get(models)).fallback(answer)).await
}

#[test]
fn events_that_say_nothing_keep_nobody_waiting_for_ever() {
    run(async {
        for (event, setting) in [
            ("data:\n\n", "upstream.first_token_timeout_ms"),
            ("data: \n\n", "upstream.first_token_timeout_ms"),
            (": still there\n\n", "upstream.first_token_timeout_ms"),
            ("data: {\"choices\":[]}\n\n", "upstream.answer_timeout_ms"),
            (
                "data: {\"choices\":null,\"usage\":{}}\n\n",
                "upstream.answer_timeout_ms",
            ),
        ] {
            let settings = [
                ("upstream.first_token_timeout_ms", "600"),
                ("upstream.idle_timeout_ms", "600"),
                ("upstream.answer_timeout_ms", "1500"),
                ("upstream.retries", "0"),
            ];
            let (_proxy, address) = proxy(endless(event).await, &settings).await;
            let began = Instant::now();
            let answer = ask(address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
            assert_eq!(answer.status(), 504, "{event:?}");
            let answer: Value = answer.json().await.unwrap();
            let message = answer["error"]["message"].as_str().unwrap();
            assert!(message.contains(setting), "{event:?}: {message}");
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "{event:?}: {:?}",
                began.elapsed()
            );
        }
    });
}

/// Many hosts answer nothing without a model's name, which the proxy has none of before a client brings one.
#[test]
fn a_server_that_refuses_the_proxys_own_question_is_there() {
    run(async {
        for (status, ready) in [(400, 200), (422, 200), (404, 503), (500, 503)] {
            let models = || async { Json(json!({"data": [{"id": "m", "owned_by": "somebody"}]})) };
            let refuse = move || async move {
                let refusal = Json(json!({"error": {"message": "you must name a model"}}));
                (StatusCode::from_u16(status).unwrap(), refusal)
            };
            let routes = Router::new().route("/v1/models", get(models)).fallback(refuse);
            // Not the program, which is asked for its models until it is up: passing that on is an answer, too.
            let (service, address) = proxy(serve(routes).await, &[("upstream.retries", "0")]).await;
            service.meet_upstreams().await.unwrap();
            let answer = reqwest::get(format!("http://{address}/readyz")).await.unwrap();
            assert_eq!(answer.status().as_u16(), ready, "{status}");
            let text = answer.text().await.unwrap();
            assert_eq!(text.contains("not tried"), ready == 200, "{status}: {text}");
        }
    });
}
