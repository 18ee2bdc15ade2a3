//! Nothing is lost when a server dies: answers go on elsewhere, with the very same tokens.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use costeer::telemetry::metrics;
use costeer::vocabulary::{ChatMessage, Role};
use futures::StreamExt;
use serde_json::{Value, json};

use crate::conformity::real_upstream;
use crate::support::{
    CONTEXT, DINNER, Mortal, Running, ask, content, events, post, proxy, question, recorder, run, serve,
    streamed_content, upstream,
};

/// A list of addresses as a setting.
fn addresses(servers: &[SocketAddr]) -> String {
    let urls: Vec<String> = servers.iter().map(|address| format!("http://{address}/v1")).collect();
    urls.join(",")
}

fn failovers() -> u64 {
    let text = metrics().render();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("costeer_failovers_total "));
    line.map_or(0, |count| count.parse().unwrap())
}

fn spread(round: u64) -> u64 {
    // Any fixed sequence that looks random will do.
    round.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) % 40
}

/// Asks `rounds` questions, each of which costs a server its life.
fn answers_survive_the_death_of_their_server(rounds: u64) {
    run(async move {
        metrics();
        let behind = match real_upstream() {
            Some(real) => real,
            None => upstream().await,
        };
        let (_calm, undisturbed) = proxy(behind, &[("local.slots", "1")]).await;
        let fuse = Arc::new(AtomicI64::new(i64::MAX));
        let servers = [
            Mortal::new(behind, Arc::clone(&fuse)),
            Mortal::new(behind, Arc::clone(&fuse)),
        ];
        let urls = addresses(&[servers[0].address, servers[1].address]);
        let (_proxy, address) = proxy(behind, &[("upstream.url", &urls)]).await;
        let before = failovers();
        let mut cut = 0;
        for round in 0..rounds {
            for server in &servers {
                server.revive().await;
            }
            let mut body = question(&format!("Can you suggest a dinner for {} people?", round % 7 + 2));
            body["temperature"] = json!(if round % 2 == 0 { 0.0 } else { 0.8 });
            body["seed"] = json!(round);
            let context = [("x-costeer-context", CONTEXT)];
            let expected = content(&ask(undisturbed, &body, &context).await.json().await.unwrap());
            // The server that sends this event dies with it; the other one lives, for nobody lights the fuse again.
            fuse.store(spread(round) as i64, Ordering::SeqCst);
            body["stream"] = json!(true);
            let response = ask(address, &body, &context).await;
            assert_eq!(response.status(), 200, "round {round}");
            let stream = response.text().await.unwrap();
            let survived = events(&stream);
            assert_eq!(survived.last().unwrap(), "[DONE]", "round {round}: {stream}");
            assert_eq!(streamed_content(&stream).0, expected, "round {round}");
            cut += u64::from(fuse.load(Ordering::SeqCst) < 0);
            fuse.store(i64::MAX, Ordering::SeqCst);
        }
        let deaths = servers.map(|server| server.deaths.load(Ordering::SeqCst));
        let failovers = failovers() - before;
        eprintln!("{rounds} answers, deaths {deaths:?}, {failovers} failovers in mid-answer, 0 differences");
        assert!(10 * cut >= 9 * rounds, "{cut} {deaths:?}");
        // Of a few rounds, chance may give all to one server.
        assert!(
            rounds < 50 || deaths.iter().all(|count| 5 * *count as u64 >= rounds),
            "{deaths:?}"
        );
        assert!(5 * failovers >= 3 * rounds);
    });
}

#[test]
fn answers_survive_the_death_of_their_server_at_any_token() {
    answers_survive_the_death_of_their_server(8);
}

#[test]
#[ignore = "long proof: 50 deaths; the plain run has 8"]
fn fifty_answers_survive_the_death_of_their_server_at_any_token() {
    answers_survive_the_death_of_their_server(50);
}

#[test]
fn an_answer_goes_on_when_the_process_that_serves_it_is_killed() {
    run(async {
        metrics();
        let model = concat!(env!("CARGO_MANIFEST_DIR"), "/models/tiny/llm");
        let arguments = ["upstream", "--model", model, "--name", "tiny-llm", "--pace-ms", "100"];
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let reserve = free.local_addr().unwrap();
        drop(free);
        let first = Running::start(&arguments, &[]).await;
        let urls = addresses(&[first.address, reserve]);
        let (_proxy, address) = proxy(first.address, &[("upstream.url", &urls)]).await;
        let (_calm, undisturbed) = proxy(upstream().await, &[]).await;
        let context = [("x-costeer-context", CONTEXT)];
        let expected = content(
            &ask(undisturbed, &question(DINNER), &context)
                .await
                .json()
                .await
                .unwrap(),
        );

        let before = failovers();
        let mut body = question(DINNER);
        body["stream"] = json!(true);
        let response = ask(address, &body, &context).await;
        let mut chunks = response.bytes_stream();
        let mut stream = chunks.next().await.unwrap().unwrap().to_vec();
        // Only now there is another: the answer began on the one that dies.
        let second = Running::start_at(reserve, &arguments, &[]).await;
        drop(first);
        while let Some(chunk) = chunks.next().await {
            stream.extend(chunk.unwrap());
        }
        drop(second);
        let stream = String::from_utf8(stream).unwrap();
        assert_eq!(events(&stream).last().unwrap(), "[DONE]", "{stream}");
        assert_eq!(streamed_content(&stream).0, expected);
        assert!(failovers() > before);
    });
}

#[test]
fn an_answer_goes_on_elsewhere_when_its_server_falls_silent() {
    run(async {
        let fuse = Arc::new(AtomicI64::new(i64::MAX));
        let behind = upstream().await;
        let servers = [0, 1].map(|_| {
            let mut server = Mortal::new(behind, Arc::clone(&fuse));
            server.freezes = true;
            server
        });
        for server in &servers {
            server.revive().await;
        }
        let urls = addresses(&[servers[0].address, servers[1].address]);
        let settings = [("upstream.url", urls.as_str()), ("upstream.idle_timeout_ms", "300")];
        let (_proxy, address) = proxy(behind, &settings).await;
        let context = [("x-costeer-context", CONTEXT)];
        let expected = content(&ask(address, &question(DINNER), &context).await.json().await.unwrap());
        fuse.store(9, Ordering::SeqCst);
        let response = ask(address, &question(DINNER), &context).await;
        assert_eq!(response.status(), 200);
        assert_eq!(content(&response.json().await.unwrap()), expected);
        assert!(fuse.load(Ordering::SeqCst) < 0);
    });
}

#[test]
fn when_all_servers_are_gone_the_stream_ends_with_an_error_and_no_end() {
    run(async {
        let fuses = [0, 1].map(|_| Arc::new(AtomicI64::new(i64::MAX)));
        let behind = upstream().await;
        let servers = [0, 1].map(|server: usize| Mortal::new(behind, Arc::clone(&fuses[server])));
        for server in &servers {
            server.revive().await;
        }
        let urls = addresses(&[servers[0].address, servers[1].address]);
        let (_proxy, address) = proxy(
            servers[0].address,
            // Few positions at once: where drafts ran far ahead, both could be dead before the first token is picked.
            &[
                ("upstream.url", &urls),
                ("upstream.retries", "1"),
                ("upstream.max_lookahead", "4"),
            ],
        )
        .await;
        let context = [("x-costeer-context", CONTEXT)];
        assert_eq!(ask(address, &question(DINNER), &context).await.status(), 200);
        // Each server sends a little and dies.
        for fuse in &fuses {
            fuse.store(12, Ordering::SeqCst);
        }
        let mut body = question(DINNER);
        body["stream"] = json!(true);
        let response = ask(address, &body, &context).await;
        assert_eq!(response.status(), 200);
        let data = events(&response.text().await.unwrap());
        let last: Value = serde_json::from_str(data.last().unwrap()).unwrap();
        assert_eq!(last["error"]["type"], "upstream_error", "{data:?}");
        assert!(
            last["error"]["message"].as_str().unwrap().contains("position"),
            "{last}"
        );
        assert!(
            data.iter()
                .all(|data| data != "[DONE]" && !data.contains("\"finish_reason\":\"stop\""))
        );
        let response = ask(address, &question(DINNER), &context).await;
        assert_eq!(response.status(), 502);
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"]["type"], "upstream_error");
    });
}

/// A server that lists its model and refuses everything else with this answer.
async fn refusing(
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let models = || async { axum::Json(json!({"data": [{"id": "tiny-llm", "owned_by": "vllm"}]})) };
    let refuse = move |request: String| async move {
        count.fetch_add(usize::from(request.contains("\"stream\":true")), Ordering::SeqCst);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            response.headers_mut().insert(*name, value.parse().unwrap());
        }
        response
    };
    let routes = Router::new().route("/v1/models", get(models));
    (serve(routes.fallback(refuse)).await, asked)
}

#[test]
fn a_refusal_reaches_the_client_with_its_status_and_words_and_without_its_headers() {
    run(async {
        for (status, body, words) in [
            (401, "{\"error\":\"Unauthorized\"}", "Unauthorized"),
            (403, "{\"error\":{\"message\":\"not yours\"}}", "not yours"),
            (
                404,
                "{\"error\":{\"message\":\"no such model\",\"code\":404}}",
                "no such model",
            ),
            (429, "{\"error\":{\"message\":\"slow down\"}}", "slow down"),
            (503, "", "it gave no reason"),
            (500, "<h1>Oops", "<h1>Oops"),
        ] {
            let headers = &[
                ("retry-after", "7"),
                ("x-internal-host", "gpu-17"),
                ("set-cookie", "a=b"),
            ];
            let (server, asked) = refusing(status, headers, body).await;
            let settings = [("upstream.api_key", "sk-secret"), ("upstream.retries", "0")];
            let (_proxy, address) = proxy(server, &settings).await;
            let response = ask(address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
            let expected = if status == 500 { 502 } else { status };
            assert_eq!(response.status(), expected);
            assert_eq!(asked.load(Ordering::SeqCst), 1);
            let shown = format!("{:?}", response.headers());
            assert!(!shown.contains("gpu-17") && !shown.contains("a=b"), "{shown}");
            assert_eq!(response.headers()["retry-after"], "7");
            let text = response.text().await.unwrap();
            assert!(text.contains(words) && !text.contains("sk-secret"), "{text}");
        }
    });
}

#[test]
fn busy_servers_are_asked_again_and_wrong_requests_are_not() {
    run(async {
        for (status, asked_for) in [(503, 3), (429, 3), (400, 1), (404, 1)] {
            let (server, asked) = refusing(status, &[], "{\"error\":{\"message\":\"no\"}}").await;
            let (_proxy, address) = proxy(server, &[("upstream.retries", "2")]).await;
            let response = ask(address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
            assert_eq!(response.status(), status);
            assert_eq!(asked.load(Ordering::SeqCst), asked_for, "status {status}");
        }
    });
}

/// A server that answers everything but requests for positions, for which it has no room; and how often it was asked for those.
async fn crowded() -> (SocketAddr, Arc<AtomicUsize>) {
    let free = upstream().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let answer = move |uri: Uri, request: String| async move {
        if request.contains("\"stream\":true") {
            count.fetch_add(1, Ordering::SeqCst);
            let refusal = "{\"error\":{\"message\":\"busy\"}}";
            return (
                StatusCode::TOO_MANY_REQUESTS,
                [("retry-after", "60")],
                refusal.to_owned(),
            );
        }
        let answer = match request.is_empty() {
            true => reqwest::get(format!("http://{free}{uri}")).await.unwrap(),
            false => post(free, uri.path(), request, &[]).await,
        };
        (answer.status(), [("retry-after", "0")], answer.text().await.unwrap())
    };
    (serve(Router::new().fallback(answer)).await, asked)
}

#[test]
fn a_busy_server_is_left_alone_where_another_is_free() {
    run(async {
        let (busy, asked) = crowded().await;
        let urls = addresses(&[busy, upstream().await]);
        let (service, address) = proxy(busy, &[("upstream.url", &urls)]).await;
        let hello = Arc::from([ChatMessage::new(Role::User, "Hi")]);
        let begun = Instant::now();
        for _ in 0..12 {
            let response = ask(address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
            assert_eq!(response.status(), 200);
            // Who looks finds it well, and learns nothing of when it has room again.
            service.replicas().look(&hello).await;
        }
        // Half of the sessions belong to it. After its first refusal it has half a minute for itself, which is the longest pause.
        let pauses = begun.elapsed().as_secs() as usize / 30;
        assert!(asked.load(Ordering::SeqCst) <= 1 + pauses);
    });
}

#[test]
fn a_request_that_is_too_long_is_no_sign_of_ill_health() {
    run(async {
        let (recorder, recording) = recorder(upstream().await).await;
        let (dead, _) = refusing(503, &[], "").await;
        let urls = addresses(&[recorder, dead]);
        let (_proxy, address) = proxy(recorder, &[("upstream.url", &urls)]).await;
        let mut body = question(DINNER);
        body["model"] = json!("another-model");
        for _ in 0..8 {
            // The healthy server refuses the model's name.
            let response = ask(address, &body, &[("x-costeer-context", CONTEXT)]).await;
            assert_eq!(response.status(), 404);
        }
        let asked = recording.requests().len();
        assert_eq!(
            ask(address, &question(DINNER), &[("x-costeer-context", CONTEXT)])
                .await
                .status(),
            200
        );
        assert!(recording.requests().len() > asked);
    });
}

#[test]
fn all_requests_of_an_answer_carry_one_random_key_where_a_router_wants_it() {
    run(async {
        let (recorder, recording) = recorder(upstream().await).await;
        let settings = [
            ("upstream.affinity_header", "x-session-id"),
            ("upstream.lookahead", "4"),
        ];
        let (_proxy, address) = proxy(recorder, &settings).await;
        let mut keys = Vec::new();
        for _ in 0..2 {
            let before = recording.requests().len();
            assert_eq!(
                ask(address, &question(DINNER), &[("x-costeer-context", CONTEXT)])
                    .await
                    .status(),
                200
            );
            let streams = recording.requests().split_off(before);
            let streams: Vec<_> = streams.iter().filter(|text| text.contains("\"stream\":true")).collect();
            assert!(streams.len() > 2);
            let key = |text: &str| {
                let (_, rest) = text.split_once("\"x-session-id\": \"").unwrap();
                rest.split('"').next().unwrap().to_owned()
            };
            let all: Vec<String> = streams.iter().map(|text| key(text)).collect();
            assert!(all.iter().all(|one| *one == all[0] && one.len() == 32), "{all:?}");
            keys.push(all[0].clone());
        }
        assert_ne!(keys[0], keys[1]);
    });
}

#[test]
fn what_is_not_steered_goes_to_a_server_that_is_up() {
    run(async {
        let closed = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let urls = addresses(&[closed, upstream().await]);
        let (_proxy, address) = proxy(closed, &[("upstream.url", &urls)]).await;
        for _ in 0..6 {
            let response = ask(address, &question(DINNER), &[]).await;
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["x-costeer-steered"], "false");
        }
    });
}

/// A server whose model has this root, until it is another's turn.
async fn renamed(root: Arc<std::sync::Mutex<&'static str>>, behind: SocketAddr) -> Router {
    let models = move || {
        let root = *root.lock().unwrap();
        async move { axum::Json(json!({"data": [{"id": "tiny-llm", "owned_by": "vllm", "root": root}]})) }
    };
    let forward = crate::support::recorder_router(Default::default(), behind);
    Router::new().route("/v1/models", get(models)).fallback_service(forward)
}

#[test]
fn a_server_that_comes_back_with_another_model_is_named() {
    run(async {
        let root = Arc::new(std::sync::Mutex::new("first"));
        let inner = serve(renamed(Arc::clone(&root), upstream().await).await).await;
        let fuse = Arc::new(AtomicI64::new(i64::MAX));
        let server = Mortal::new(inner, Arc::clone(&fuse));
        server.revive().await;
        let (_proxy, address) = proxy(server.address, &[]).await;
        let context = [("x-costeer-context", CONTEXT)];
        assert_eq!(ask(address, &question(DINNER), &context).await.status(), 200);
        *root.lock().unwrap() = "second";
        fuse.store(3, Ordering::SeqCst);
        let body = question(DINNER);
        let answering = ask(address, &body, &context);
        let reviving = async {
            while server.deaths.load(Ordering::SeqCst) == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            fuse.store(i64::MAX, Ordering::SeqCst);
            server.revive().await;
        };
        let (response, ()) = tokio::join!(answering, reviving);
        assert_eq!(response.status(), 502);
        let error: Value = response.json().await.unwrap();
        let message = error["error"]["message"].as_str().unwrap();
        for part in ["another model", "first", "second", &server.address.to_string()] {
            assert!(message.contains(part), "{message}");
        }
    });
}
