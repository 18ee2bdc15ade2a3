//! Bad input gets a clear error and loses nothing.

use std::net::SocketAddr;

use axum::{Router, routing};
use serde_json::{Value, json};

use crate::support::{
    CONTEXT, DINNER, ask, default_proxy, dying, events, post, proxy, question, run, scripted, serve, upstream,
};

/// Sends a body with the usual context and returns status and the error object.
async fn error_of(address: SocketAddr, body: String, headers: &[(&'static str, &str)]) -> (u16, Value) {
    let response = post(address, "/v1/chat/completions", body, headers).await;
    let status = response.status().as_u16();
    assert_eq!(response.headers()["x-costeer-steered"], "false");
    let body: Value = response.json().await.unwrap();
    for key in ["message", "type", "param", "code"] {
        assert!(body["error"].get(key).is_some(), "{key} is missing in {body}");
    }
    (status, body["error"].clone())
}

#[test]
fn bodies_that_are_no_requests_are_refused() {
    run(async {
        let address = default_proxy().await;
        let context = [("x-costeer-context", CONTEXT)];
        for (body, param, needle) in [
            ("{\"messages\": [", Value::Null, "not JSON"),
            ("[1]", Value::Null, "JSON object"),
            ("{}", json!("messages"), "at least one message"),
            ("{\"messages\": []}", json!("messages"), "at least one message"),
            (
                "{\"messages\": [{\"role\": \"wizard\", \"content\": \"x\"}]}",
                json!("messages[0].role"),
                "one of",
            ),
            (
                "{\"messages\": [{\"role\": \"user\", \"content\": 3}]}",
                json!("messages[0].content"),
                "string",
            ),
        ] {
            let (status, error) = error_of(address, body.to_owned(), &context).await;
            assert_eq!((status, &error["param"]), (400, &param), "{body}");
            assert!(error["message"].as_str().unwrap().contains(needle), "{error}");
        }
        // In a body that does not parse a private field could hide, so it is not forwarded either.
        let (status, _) = error_of(address, "{\"costeer\": {".to_owned(), &[]).await;
        assert_eq!(status, 400);
    });
}

#[test]
fn what_is_wrong_is_named_by_its_place() {
    run(async {
        let address = default_proxy().await;
        let said = |content: Value| json!([{"role": "user", "content": "Hi"}, {"role": "user", "content": content}]);
        for (field, value, named, words) in [
            ("messages", json!("Hi"), "messages", "a list"),
            ("messages", json!(["Hi"]), "messages[0]", "an object"),
            ("messages", json!([["user", "Hi"]]), "messages[0]", "an object"),
            ("messages", json!([{"content": "Hi"}]), "messages[0].role", "missing"),
            ("messages", json!([{"role": "user"}]), "messages[0].content", "missing"),
            (
                "messages",
                said(json!([{"text": "x"}])),
                "messages[1].content[0].type",
                "missing",
            ),
            (
                "messages",
                said(json!([["text", "x"]])),
                "messages[1].content[0]",
                "an object",
            ),
            (
                "messages",
                said(json!([{"type": "text", "text": 5}])),
                "messages[1].content[0].text",
                "a string",
            ),
            (
                "messages",
                said(json!([{"type": "text"}])),
                "messages[1].content[0].text",
                "needs it",
            ),
            (
                "messages",
                json!([{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": [1]}}]}]),
                "messages[0].tool_calls[0].function.arguments",
                "a JSON object",
            ),
            (
                "tools",
                json!([{"type": "function", "function": {}}]),
                "tools[0].function.name",
                "missing",
            ),
            (
                "tools",
                json!([{"function": {"name": 5}}]),
                "tools[0].function.name",
                "a string",
            ),
            (
                "response_format",
                json!({"type": 5}),
                "response_format.type",
                "a string",
            ),
            ("response_format", json!(["text"]), "response_format", "an object"),
            (
                "stream_options",
                json!({"include_usage": "yes"}),
                "stream_options.include_usage",
                "true or false",
            ),
            ("stop_sequence", json!(["x", 5]), "stop_sequence[1]", "a string"),
            (
                "structured_outputs",
                json!({"choice": ["x", 5]}),
                "structured_outputs.choice[1]",
                "a string",
            ),
            ("temperature", json!("hot"), "temperature", "a number from 0 to 2"),
            ("n", json!(1.5), "n", "a whole number from 1 to 16"),
            ("max_completion_tokens", json!(0), "max_completion_tokens", "at least 1"),
        ] {
            let mut body = question(DINNER);
            body[field] = value;
            let (status, error) = error_of(address, body.to_string(), &[("x-costeer-context", CONTEXT)]).await;
            assert_eq!((status, &error["param"]), (400, &json!(named)), "{error}");
            assert!(error["message"].as_str().unwrap().contains(words), "{error}");
        }
    });
}

#[test]
fn contexts_that_cannot_be_read_are_refused_by_name() {
    run(async {
        let address = default_proxy().await;
        let body = question(DINNER).to_string();
        let (status, error) = error_of(address, body.clone(), &[("x-costeer-context-base64", "not base64!")]).await;
        assert_eq!((status, &error["param"]), (400, &json!("X-CoSteer-Context-Base64")));
        // 0xFF 0xFE as base64.
        let (status, error) = error_of(address, body.clone(), &[("x-costeer-context-base64", "//4=")]).await;
        assert_eq!(status, 400);
        assert!(error["message"].as_str().unwrap().contains("UTF-8"), "{error}");
        let raw = reqwest::header::HeaderValue::from_bytes(&[0xFF, 0xFE]).unwrap();
        let response = reqwest::Client::new()
            .post(format!("http://{address}/v1/chat/completions"))
            .header("content-type", "application/json")
            .header("x-costeer-context", raw)
            .body(body.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 400);
        let headers = [("x-costeer-context", CONTEXT), ("x-costeer-strength", "strong")];
        let (status, error) = error_of(address, body, &headers).await;
        assert_eq!((status, &error["param"]), (400, &json!("X-CoSteer-Strength")));
    });
}

#[test]
fn what_does_not_fit_names_both_numbers() {
    run(async {
        let address = default_proxy().await;
        let mut body = question(DINNER);
        body["costeer"] = json!({"context": "I like the sea. ".repeat(2000)});
        let (status, error) = error_of(address, body.to_string(), &[]).await;
        assert_eq!((status, &error["code"]), (400, &json!("context_length_exceeded")));
        let message = error["message"].as_str().unwrap();
        let tokens: Vec<usize> = message
            .split(|character: char| !character.is_ascii_digit())
            .filter_map(|digits| digits.parse().ok())
            .collect();
        assert!(
            tokens.iter().any(|tokens| *tokens > 4096) && tokens.contains(&4096),
            "{message}"
        );

        let long = question(&"I like the sea. ".repeat(2000));
        let (status, error) = error_of(address, long.to_string(), &[("x-costeer-context", CONTEXT)]).await;
        assert_eq!((status, &error["param"]), (400, &json!("messages")));

        let (_proxy, small) = proxy(upstream().await, &[("server.max_body_bytes", "1000")]).await;
        let (status, error) = error_of(small, question(&"x".repeat(2000)).to_string(), &[]).await;
        assert_eq!(status, 413);
        assert!(error["message"].as_str().unwrap().contains("1000"), "{error}");
    });
}

#[test]
fn an_upstream_that_is_down_is_a_502_steered_or_not() {
    run(async {
        let closed = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let (_proxy, address) = proxy(closed, &[]).await;
        for headers in [&[("x-costeer-context", CONTEXT)][..], &[][..]] {
            let (status, error) = error_of(address, question(DINNER).to_string(), headers).await;
            assert_eq!(status, 502);
            let message = error["message"].as_str().unwrap();
            assert!(
                message.contains(&closed.to_string()) && message.contains("upstream.url"),
                "{message}"
            );
        }
    });
}

#[test]
fn an_upstream_that_stays_silent_is_a_504() {
    run(async {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent = silent.local_addr().unwrap();
        // One says nothing at all, the other nothing to what is generated.
        let thinking = serve(
            Router::new()
                .route(
                    "/v1/models",
                    routing::get(async || axum::Json(json!({"data": [{"id": "tiny-llm", "owned_by": "vllm"}]}))),
                )
                .route(
                    "/v1/completions",
                    routing::post(async || std::future::pending::<String>().await),
                ),
        )
        .await;
        for (upstream, setting) in [(silent, "connect_timeout_ms"), (thinking, "first_token_timeout_ms")] {
            let settings = [
                ("upstream.connect_timeout_ms", "300"),
                ("upstream.first_token_timeout_ms", "200"),
            ];
            let (_proxy, address) = proxy(upstream, &settings).await;
            let context = [("x-costeer-context", CONTEXT)];
            let (status, error) = error_of(address, question(DINNER).to_string(), &context).await;
            assert_eq!(status, 504);
            assert!(error["message"].as_str().unwrap().contains(setting), "{error}");
        }
    });
}

#[test]
fn answers_without_usable_logprobs_say_what_to_set() {
    run(async {
        for (script, needle) in [
            (
                "data: {\"choices\":[{\"text\":\"Hi\",\"logprobs\":null,\"finish_reason\":null}]}\n\n",
                "--max-logprobs",
            ),
            (
                "data: {\"choices\":[{\"text\":\"Hi\",\"logprobs\":{\"tokens\":[\"Hi\"],\"token_logprobs\":[-1.0],\
                 \"top_logprobs\":[{\"Hi\":-1.0}]},\"finish_reason\":null}]}\n\n",
                "--return-tokens-as-token-ids",
            ),
            ("data: nonsense\n\n", "cannot be understood"),
        ] {
            let (_proxy, address) = proxy(scripted(script).await, &[]).await;
            let context = [("x-costeer-context", CONTEXT)];
            let (status, error) = error_of(address, question(DINNER).to_string(), &context).await;
            assert_eq!(status, 502);
            assert!(error["message"].as_str().unwrap().contains(needle), "{error}");
        }
    });
}

#[test]
fn a_refusal_inside_a_stream_keeps_its_status_and_message() {
    run(async {
        let script = "data: {\"error\":{\"message\":\"Requested sample logprobs of 50, which is greater than max \
                      allowed: 20\",\"type\":\"BadRequestError\",\"code\":400}}\n\ndata: [DONE]\n\n";
        let (_proxy, address) = proxy(scripted(script).await, &[]).await;
        let context = [("x-costeer-context", CONTEXT)];
        let (status, error) = error_of(address, question(DINNER).to_string(), &context).await;
        assert_eq!(status, 400);
        assert!(
            error["message"].as_str().unwrap().contains("max allowed: 20"),
            "{error}"
        );
    });
}

/// One position whose only candidate is the letter "a", then nothing.
const ONE_POSITION: &str = "data: {\"choices\":[{\"text\":\"a\",\"logprobs\":{\"tokens\":[\"token_id:64\"],\
                            \"token_logprobs\":[0.0],\"top_logprobs\":[{\"token_id:64\":0.0}]},\
                            \"finish_reason\":null}]}\n\n";

#[test]
fn a_draft_outside_the_vocabulary_is_named() {
    run(async {
        let script = "data: {\"choices\":[{\"text\":\"?\",\"logprobs\":{\"tokens\":[\"token_id:99999\"],\
                      \"token_logprobs\":[-0.05],\"top_logprobs\":[{\"token_id:99999\":-0.05,\"token_id:300\":-3.0}]},\
                      \"finish_reason\":null}]}\n\n";
        let (_proxy, address) = proxy(scripted(script).await, &[]).await;
        let context = [("x-costeer-context", CONTEXT)];
        let (status, error) = error_of(address, question(DINNER).to_string(), &context).await;
        assert_eq!(status, 502);
        let message = error["message"].as_str().unwrap();
        for part in ["99999", "position 0", "upstream.tokenizer"] {
            assert!(message.contains(part), "{message}");
        }
    });
}

#[test]
fn an_upstream_that_dies_in_mid_stream_is_an_error_event_and_no_end() {
    run(async {
        for breaks in [true, false] {
            let (_proxy, address) = proxy(dying(ONE_POSITION, breaks).await, &[]).await;
            let mut body = question(DINNER);
            body["stream"] = json!(true);
            let response = ask(address, &body, &[("x-costeer-context", CONTEXT)]).await;
            assert_eq!(response.status(), 200);
            let data = events(&response.text().await.unwrap());
            let last: Value = serde_json::from_str(data.last().unwrap()).unwrap();
            assert_eq!(last["error"]["type"], "upstream_error");
            assert!(
                data.iter().all(|data| data != "[DONE]" && !data.contains("\"stop\"")),
                "{data:?}"
            );

            body["stream"] = json!(false);
            let (status, _) = error_of(address, body.to_string(), &[("x-costeer-context", CONTEXT)]).await;
            assert_eq!(status, 502);
        }
    });
}

#[test]
fn unknown_paths_and_methods_are_answered_in_the_envelope() {
    run(async {
        let address = default_proxy().await;
        let response = reqwest::get(format!("http://{address}/nonsense")).await.unwrap();
        assert_eq!(response.status(), 404);
        let error: Value = response.json().await.unwrap();
        assert!(error["error"]["message"].as_str().unwrap().contains("/v1"));
        let response = reqwest::get(format!("http://{address}/v1/chat/completions"))
            .await
            .unwrap();
        assert_eq!(response.status(), 405);
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"]["type"], "invalid_request_error");
    });
}
