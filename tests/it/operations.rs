//! Running the proxy beside an application: keys, probes, ids, metrics, configuration.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{CONTEXT, DINNER, Running, ask, costeer, metrics_of, proxy, question, recorder, run, upstream};

#[test]
fn a_key_opens_everything_but_probes_and_goes_nowhere() {
    run(async {
        let (recorder, recording) = recorder(upstream().await).await;
        let (_proxy, address) = proxy(recorder, &[("server.api_key", "open sesame")]).await;
        for headers in [
            &[][..],
            &[("authorization", "Bearer wrong")][..],
            &[("authorization", "Basic open sesame")][..],
            &[("authorization", "Bearer open sesame!")][..],
        ] {
            let before = recording.requests().len();
            let response = ask(address, &question(DINNER), headers).await;
            assert_eq!(response.status(), 401);
            let error: Value = response.json().await.unwrap();
            assert_eq!(error["error"]["code"], "invalid_api_key");
            assert_eq!(recording.requests().len(), before);
        }
        let key = ("authorization", "bearer open sesame");
        for headers in [&[key][..], &[key, ("x-costeer-context", CONTEXT)][..]] {
            assert_eq!(ask(address, &question(DINNER), headers).await.status(), 200);
        }
        assert!(recording.requests().len() > 1);
        for request in recording.requests() {
            assert!(
                !request.contains("sesame") && !request.contains("authorization"),
                "{request}"
            );
        }
        for (path, status) in [
            ("/healthz", 200),
            ("/readyz", 200),
            ("/metrics", 401),
            ("/v1/models", 401),
            ("/x", 401),
        ] {
            let response = reqwest::get(format!("http://{address}{path}")).await.unwrap();
            assert_eq!(response.status(), status, "{path}");
        }
    });
}

/// Asks until the status is this one; fails after a while.
async fn becomes(url: &str, status: u16) {
    let begun = Instant::now();
    loop {
        let now = reqwest::get(url).await.unwrap().status();
        if now == status {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{url} still says {now}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn ready_is_when_an_upstream_has_answered() {
    run(async {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let later = free.local_addr().unwrap();
        drop(free);
        let url = format!("http://{later}/v1");
        let running = Running::serve(&[("COSTEER__UPSTREAM__URL", url.as_str())]).await;
        let ready = format!("http://{}/readyz", running.address);
        assert_eq!(reqwest::get(&ready).await.unwrap().status(), 503);
        assert_eq!(
            reqwest::get(format!("http://{}/healthz", running.address))
                .await
                .unwrap()
                .status(),
            200
        );
        let own = format!("http://{}", running.address);
        let health = || costeer(&["health", "--url", &own], &[]).output().unwrap().status.code();
        assert_eq!(health(), Some(1));
        let listener = tokio::net::TcpListener::bind(later).await.unwrap();
        let forward = crate::support::recorder_router(Default::default(), upstream().await);
        tokio::spawn(costeer::http::serve(
            listener,
            forward,
            std::future::pending(),
            Duration::ZERO,
        ));
        becomes(&ready, 200).await;
        assert_eq!(health(), Some(0));
        assert_eq!(
            costeer(&["health", "--url", "http://127.0.0.1:1"], &[])
                .output()
                .unwrap()
                .status
                .code(),
            Some(1)
        );
    });
}

/// A server that wants a key, and finds one of them too busy.
async fn keyed() -> std::net::SocketAddr {
    use axum::http::{HeaderMap, StatusCode};
    let behind = upstream().await;
    let pass = move |headers: HeaderMap, method: axum::http::Method, uri: axum::http::Uri, body: String| async move {
        let key = headers
            .get("authorization")
            .and_then(|key| key.to_str().ok())
            .unwrap_or_default();
        let refused = |status, words: &str| {
            (
                status,
                [("content-type", "application/json")],
                json!({"error": words}).to_string(),
            )
        };
        match key {
            "Bearer good" => {}
            "Bearer poor" if method == "POST" => return refused(StatusCode::TOO_MANY_REQUESTS, "slow down"),
            "Bearer poor" => {}
            _ => return refused(StatusCode::UNAUTHORIZED, "no key"),
        }
        let request = reqwest::Client::new().request(method, format!("http://{behind}{uri}"));
        let answer = request
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap();
        let (status, kind) = (
            answer.status(),
            answer.headers()["content-type"].to_str().unwrap().to_owned(),
        );
        let kind = if kind.contains("event-stream") {
            "text/event-stream"
        } else {
            "application/json"
        };
        (status, [("content-type", kind)], answer.text().await.unwrap())
    };
    crate::support::serve(axum::Router::new().fallback(pass)).await
}

#[test]
fn readiness_does_not_wait_for_a_key_that_only_clients_have_nor_ends_with_a_clients_limit() {
    run(async {
        let url = format!("http://{}/v1", keyed().await);
        let running = Running::serve(&[
            ("COSTEER__UPSTREAM__URL", url.as_str()),
            ("COSTEER__UPSTREAM__RETRIES", "0"),
        ])
        .await;
        let ready = format!("http://{}/readyz", running.address);
        becomes(&ready, 200).await;
        let said = || async { reqwest::get(&ready).await.unwrap().text().await.unwrap() };
        assert!(said().await.contains("clients that bring"), "{}", said().await);
        let with = async |key: &str| {
            let headers = [("authorization", key), ("x-costeer-context", CONTEXT)];
            ask(running.address, &question(DINNER), &headers).await.status()
        };
        assert_eq!(with("Bearer good").await, 200);
        assert_eq!(said().await, "ready\n");
        for _ in 0..3 {
            assert_eq!(with("Bearer poor").await, 429);
            assert_eq!(with("Bearer bad").await, 401);
        }
        assert_eq!(said().await, "ready\n");
        let wrong = Running::serve(&[
            ("COSTEER__UPSTREAM__URL", url.as_str()),
            ("COSTEER__UPSTREAM__API_KEY", "bad"),
        ])
        .await;
        let ready = format!("http://{}/readyz", wrong.address);
        let begun = Instant::now();
        loop {
            let answer = reqwest::get(&ready).await.unwrap();
            assert_eq!(answer.status(), 503);
            if answer.text().await.unwrap().contains("refuses upstream.api_key") {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(20));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

#[test]
fn an_answer_that_passes_through_makes_ready() {
    run(async {
        use axum::http::{Method, StatusCode};
        use axum::response::IntoResponse;
        // It has nothing that steering needs.
        let embeddings = |method: Method, uri: axum::http::Uri| async move {
            if method == Method::POST && uri.path() == "/v1/embeddings" {
                axum::Json(json!({"data": []})).into_response()
            } else {
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        };
        let url = format!(
            "http://{}/v1",
            crate::support::serve(axum::Router::new().fallback(embeddings)).await
        );
        let running = Running::serve(&[("COSTEER__UPSTREAM__URL", url.as_str())]).await;
        let ready = format!("http://{}/readyz", running.address);
        assert_eq!(reqwest::get(&ready).await.unwrap().status(), 503);
        let body = json!({"model": "m", "input": "a"}).to_string();
        let answer = crate::support::post(running.address, "/v1/embeddings", body, &[]).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(reqwest::get(&ready).await.unwrap().status(), 200);
    });
}

#[test]
fn requests_carry_an_id_in_and_out_and_to_the_upstream() {
    run(async {
        let (recorder, recording) = recorder(upstream().await).await;
        let (_proxy, address) = proxy(recorder, &[]).await;
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        for steered in [true, false] {
            let before = recording.requests().len();
            let mut headers = vec![("x-request-id", "call-7.a:b"), ("traceparent", trace)];
            headers.extend(steered.then_some(("x-costeer-context", CONTEXT)));
            let response = ask(address, &question(DINNER), &headers).await;
            assert_eq!(response.headers()["x-request-id"], "call-7.a:b");
            response.text().await.unwrap();
            let sent = &recording.requests()[before..];
            assert!(!sent.is_empty());
            for request in sent {
                assert!(request.contains("call-7.a:b") && request.contains(trace), "{request}");
            }
        }
        for unfit in ["", "with space", &"x".repeat(200)] {
            let response = ask(address, &question(DINNER), &[("x-request-id", unfit)]).await;
            let given = response.headers()["x-request-id"].to_str().unwrap();
            assert!(given.len() == 32 && given != unfit, "{given}");
        }
    });
}

#[test]
fn metrics_can_have_a_listener_of_their_own() {
    run(async {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let metrics = free.local_addr().unwrap();
        drop(free);
        let url = format!("http://{}/v1", upstream().await);
        let listen = metrics.to_string();
        let variables = [
            ("COSTEER__UPSTREAM__URL", url.as_str()),
            ("COSTEER__SERVER__METRICS_LISTEN", listen.as_str()),
        ];
        let running = Running::serve(&variables).await;
        let response = ask(running.address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
        assert_eq!(response.status(), 200);
        let text = metrics_of(metrics).await;
        for name in [
            "costeer_requests_total{route=\"/v1/chat/completions\",status=\"200\"}",
            "costeer_request_seconds",
            "costeer_inter_token_seconds",
            "costeer_slots_busy 0",
            "costeer_queue_waiting 0",
        ] {
            assert!(text.contains(name), "no {name} in {text}");
        }
        let here = reqwest::get(format!("http://{}/metrics", running.address))
            .await
            .unwrap();
        assert_eq!(here.status(), 404);
    });
}

#[test]
fn pages_of_configured_origins_may_call() {
    run(async {
        let settings = [
            ("server.cors_origins", "http://localhost:3000"),
            ("server.api_key", "k"),
        ];
        let (_proxy, address) = proxy(upstream().await, &settings).await;
        let preflight = async |origin: &'static str| {
            let request = reqwest::Client::new()
                .request(
                    reqwest::Method::OPTIONS,
                    format!("http://{address}/v1/chat/completions"),
                )
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization, x-costeer-context");
            request.send().await.unwrap()
        };
        let allowed = preflight("http://localhost:3000").await;
        assert_eq!(allowed.status(), 200);
        assert_eq!(
            allowed.headers()["access-control-allow-origin"],
            "http://localhost:3000"
        );
        assert!(
            allowed.headers()["access-control-allow-headers"]
                .to_str()
                .unwrap()
                .contains("x-costeer-context")
        );
        let refused = preflight("http://evil.example").await;
        assert!(!refused.headers().contains_key("access-control-allow-origin"));
        let headers = [("origin", "http://localhost:3000"), ("authorization", "Bearer k")];
        let answer = ask(address, &question(DINNER), &headers).await;
        assert_eq!(answer.headers()["access-control-allow-origin"], "http://localhost:3000");
    });
}

fn config(variables: &[(&str, &str)]) -> (String, String) {
    let output = costeer(&["config"], variables).output().unwrap();
    (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn the_effective_configuration_is_shown_without_secrets() {
    let variables = [
        ("OPENAI_BASE_URL", "http://big.example/v1"),
        ("OPENAI_API_KEY", "sk-familiar"),
        ("COSTEER__SERVER__API_KEY", "sk-own"),
        ("COSTEER__CONTEXT__TEXT", "I am Wilhelmina."),
        ("COSTEER__STEERING__STRENGTH", "1.5"),
    ];
    let (shown, _) = config(&variables);
    for line in [
        "url = \"http://big.example/v1\"",
        "api_key = \"********\"",
        "text = \"********\"",
        "strength = \"1.5\"",
        "[steering]",
        "listen = \"127.0.0.1:8089\"",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "no {line} in {shown}");
    }
    assert!(!shown.contains("sk-") && !shown.contains("Wilhelmina"));
    // Our own variable wins over the familiar one, and what is shown can be read again.
    let (own, _) = config(&[
        ("OPENAI_BASE_URL", "http://a/v1"),
        ("COSTEER__UPSTREAM__URL", "http://b/v1"),
    ]);
    assert!(own.contains("url = \"http://b/v1\""));
    let folder = crate::support::Folder::new();
    let file = folder.file("effective.toml");
    std::fs::write(&file, own).unwrap();
    assert!(
        costeer(&["config", "--config", &file], &[])
            .output()
            .unwrap()
            .status
            .success()
    );
    let (_, error) = config(&[("OPENAI_BASE_URL", "http://127.0.0.1:8089/v1")]);
    assert!(error.contains("own address"), "{error}");
}

#[test]
fn a_proxy_that_ends_lets_its_answers_end() {
    run(async {
        let model = concat!(env!("CARGO_MANIFEST_DIR"), "/models/tiny/llm");
        let slow = Running::start(&["upstream", "--model", model, "--pace-ms", "40"], &[]).await;
        let url = format!("http://{}/v1", slow.address);
        let mut running = Running::serve(&[("COSTEER__UPSTREAM__URL", url.as_str())]).await;
        let (address, process) = (running.address, running.process());
        let asking = tokio::spawn(async move {
            ask(address, &question(DINNER), &[("x-costeer-context", CONTEXT)])
                .await
                .json::<Value>()
                .await
        });
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert!(
            std::process::Command::new("kill")
                .arg(process.to_string())
                .status()
                .unwrap()
                .success()
        );
        let answer = asking.await.unwrap().unwrap();
        assert_eq!(answer["choices"][0]["finish_reason"], json!("stop"));
        let (status, _) = tokio::task::spawn_blocking(move || running.wait()).await.unwrap();
        assert!(status.success());
    });
}

#[test]
fn heads_that_are_too_long_are_refused() {
    run(async {
        let (_proxy, address) = proxy(upstream().await, &[]).await;
        let fits = "a".repeat(100_000);
        let response = ask(address, &question(DINNER), &[("x-filler", &fits)]).await;
        assert!(
            response.status().is_success() || response.status() == 431,
            "the upstream may have its own limit"
        );
        let long = "a".repeat(1_000_000);
        let response = ask(address, &question(DINNER), &[("x-filler", &long)]).await;
        assert_eq!(response.status(), 431);
    });
}
