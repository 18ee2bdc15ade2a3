//! What the measurements share: the shipped pair on real sockets, and one steered answer with everything it cost.

use std::future::pending;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use costeer::context::PrivateContext;
use costeer::decode::Report;
use costeer::http::{chat_request, serve};
use costeer::local::{EngineOptions, ModelSource, Precision};
use costeer::service::Service;
use costeer::settings::{Variables, load};
use costeer::testkit::{DemoServer, Pacing};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// One of the pair's evaluation prompts.
#[derive(Deserialize)]
pub struct Item {
    pub question: String,
    pub context: String,
}

/// The first `count` evaluation prompts.
pub fn items(count: usize) -> Vec<Item> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("training/eval/items.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().take(count);
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn options() -> EngineOptions {
    EngineOptions {
        precision: Precision::F32,
        quantisation: None,
        force_cpu: true,
    }
}

/// The shipped LLM behind HTTP.
pub struct Upstream {
    pub server: Arc<DemoServer>,
    pub address: SocketAddr,
}

impl Upstream {
    pub async fn start(pace_ms: u64, delay_ms: u64) -> Self {
        let source = ModelSource::locate("--model", "models/tiny/llm").await.unwrap();
        let options = options();
        let pacing = Pacing {
            pace: Duration::from_millis(pace_ms),
            delay: Duration::from_millis(delay_ms),
        };
        let server = DemoServer::load(&source, &options, 2, "tiny-llm", pacing)
            .await
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Arc::clone(&server).router();
        tokio::spawn(serve(listener, router, pending(), Duration::ZERO));
        Self { server, address }
    }

    /// A proxy in front of it, with the demo's strength and floor, and these settings on top.
    pub async fn proxy(&self, settings: &[(&'static str, &str)]) -> Arc<Service> {
        let mut overrides = vec![
            ("upstream.url", format!("http://{}/v1", self.address)),
            ("steering.strength", "1".to_owned()),
            ("steering.delta_floor", "0.0001".to_owned()),
        ];
        overrides.extend(settings.iter().map(|(key, value)| (*key, (*value).to_owned())));
        let settings = load(None, Variables::Ignore, &overrides).unwrap();
        Service::load(&settings).await.unwrap()
    }

    /// The plain answer, streamed: how many tokens it has and how long it took.
    pub async fn plain(&self, item: &Item) -> (u64, Duration) {
        let body = json!({"messages": messages(item), "temperature": 0, "max_tokens": MAX_TOKENS, "stream": true});
        let before = self.server.generated();
        let start = Instant::now();
        let response = reqwest::Client::new()
            .post(format!("http://{}/v1/chat/completions", self.address))
            .header("content-type", "application/json")
            .body(body.to_string());
        let mut stream = response.send().await.unwrap().bytes_stream();
        while let Some(part) = stream.next().await {
            part.unwrap();
        }
        (self.server.generated() - before, start.elapsed())
    }
}

const MAX_TOKENS: u64 = 128;

fn messages(item: &Item) -> Value {
    json!([{"role": "user", "content": item.question}])
}

/// A steered answer.
pub struct Answer {
    pub tokens: Vec<u32>,
    pub report: Report,
    pub wall: Duration,
}

/// Steers the answer to `item`; drawn at this temperature with seed 7.
pub async fn steered(proxy: &Arc<Service>, item: &Item, temperature: f64) -> Answer {
    let body = json!({
        "messages": messages(item),
        "temperature": temperature,
        "seed": 7,
        "max_tokens": MAX_TOKENS,
    });
    let request = chat_request(body.as_object().unwrap()).ok().unwrap();
    let context = PrivateContext::new(item.context.clone());
    let start = Instant::now();
    let mut session = proxy.open_session(&request, &context).await.unwrap();
    let mut tokens = Vec::new();
    while let Some(event) = session.next().await.unwrap() {
        tokens.push(event.picked.token.0);
    }
    Answer {
        tokens,
        report: session.report().clone(),
        wall: start.elapsed(),
    }
}
