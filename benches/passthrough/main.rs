//! What passing a request through costs: the same requests straight to a server, through the proxy, and through LiteLLM's
//! proxy where one is installed (`LITELLM=/path/to/litellm`). All on this machine, in one run.
//!
//! `cargo bench --bench passthrough -- [--requests N] [--repeats N]`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench that cannot go on should say so and stop"
)]

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// An answer of a usual length, ready at once: what is measured is the way.
fn answer() -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "tiny-llm",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "word ".repeat(200)}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 50, "completion_tokens": 200, "total_tokens": 250},
    })
}

async fn upstream() -> SocketAddr {
    let answer = Arc::new(answer());
    let chat = move || {
        let answer = Arc::clone(&answer);
        async move { Json(Value::clone(&answer)) }
    };
    let models = || async {
        Json(json!({"object": "list", "data": [{"id": "tiny-llm", "object": "model", "owned_by": "vllm"}]}))
    };
    let app = Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/models", get(models));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// A server of its own process, ended with the bench.
struct Server {
    name: &'static str,
    address: SocketAddr,
    child: Option<Child>,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _gone = child.kill();
            let _reaped = child.wait();
        }
    }
}

fn free() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

async fn started(name: &'static str, mut command: Command, address: SocketAddr) -> Server {
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let server = Server {
        name,
        address,
        child: Some(child),
    };
    let begun = Instant::now();
    while ask(&reqwest::Client::new(), address).await.is_none() {
        assert!(begun.elapsed() < Duration::from_secs(120), "{name} does not answer");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    server
}

async fn costeer(upstream: SocketAddr) -> Server {
    let address = free();
    let mut command = Command::new(env!("CARGO_BIN_EXE_costeer"));
    command
        .args(["serve", "--listen", &address.to_string()])
        .env("COSTEER__UPSTREAM__URL", format!("http://{upstream}/v1"))
        .env("COSTEER__LOG__FILTER", "off");
    started("costeer", command, address).await
}

async fn litellm(upstream: SocketAddr) -> Option<Server> {
    let program = std::env::var_os("LITELLM")?;
    let address = free();
    let folder = std::env::temp_dir().join(format!("costeer-litellm-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.yaml");
    let config = format!(
        "model_list:\n  - model_name: tiny-llm\n    litellm_params:\n      model: openai/tiny-llm\n      api_base: \
         http://{upstream}/v1\n      api_key: none\n"
    );
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(program);
    // It does not start without a key otherwise.
    command.env("LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY", "true");
    command
        .args(["--host", "127.0.0.1", "--port", &address.port().to_string(), "--config"])
        .arg(&file);
    Some(started("LiteLLM", command, address).await)
}

async fn ask(client: &reqwest::Client, address: SocketAddr) -> Option<Duration> {
    let body = json!({
        "model": "tiny-llm",
        "messages": [{"role": "user", "content": "word ".repeat(50)}],
        "temperature": 0,
    });
    let begun = Instant::now();
    let request = client.post(format!("http://{address}/v1/chat/completions")).json(&body);
    let response = request.send().await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    response.bytes().await.ok()?;
    Some(begun.elapsed())
}

/// Median in milliseconds, and requests a second, of `requests` requests by `clients` at once.
async fn measure(address: SocketAddr, clients: usize, requests: usize) -> (f64, f64) {
    let begun = Instant::now();
    let each = |_| {
        tokio::spawn(async move {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            // The first opens the connection.
            ask(&client, address).await;
            let mut times = Vec::new();
            for _ in 0..requests / clients {
                times.push(ask(&client, address).await.expect("an answer").as_secs_f64());
            }
            times
        })
    };
    let running: Vec<_> = (0..clients).map(each).collect();
    let mut times = Vec::new();
    for client in running {
        times.extend(client.await.unwrap());
    }
    times.sort_by(f64::total_cmp);
    (
        1e3 * times[times.len() / 2],
        times.len() as f64 / begun.elapsed().as_secs_f64(),
    )
}

fn megabytes(server: &Server) -> String {
    let process = server.child.as_ref().map(Child::id);
    let status = process.and_then(|process| std::fs::read_to_string(format!("/proc/{process}/status")).ok());
    let line = status
        .as_deref()
        .and_then(|status| status.lines().find_map(|line| line.strip_prefix("VmHWM:")));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kilobytes.map_or_else(|| "-".to_owned(), |kilobytes| format!("{:.0}", kilobytes / 1024.0))
}

fn argument(name: &str, default: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    arguments
        .next()
        .map_or(default, |value| value.parse().expect("a number"))
}

#[tokio::main]
async fn main() {
    let (requests, repeats) = (argument("--requests", 2000), argument("--repeats", 5));
    let direct = upstream().await;
    let mut servers = vec![
        Server {
            name: "direct",
            address: direct,
            child: None,
        },
        costeer(direct).await,
    ];
    servers.extend(litellm(direct).await);
    println!("| clients | server | p50 ms | added p50 ms | requests/s | peak MB |\n|---|---|---|---|---|---|");
    for clients in [1, 32] {
        // Turn by turn, so that whatever disturbs the machine disturbs all of them.
        let mut results = vec![Vec::new(); servers.len()];
        for _ in 0..repeats {
            for (server, results) in servers.iter().zip(&mut results) {
                let requests = if server.name == "LiteLLM" {
                    requests / 10
                } else {
                    requests
                };
                results.push(measure(server.address, clients, requests.max(clients)).await);
            }
        }
        let median = |values: &[(f64, f64)], part: fn(&(f64, f64)) -> f64| {
            let mut values: Vec<f64> = values.iter().map(part).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let base = median(&results[0], |result| result.0);
        for (server, results) in servers.iter().zip(&results) {
            let (p50, rate) = (median(results, |result| result.0), median(results, |result| result.1));
            println!(
                "| {clients} | {} | {p50:.3} | {:.3} | {rate:.0} | {} |",
                server.name,
                p50 - base,
                megabytes(server)
            );
        }
    }
}
