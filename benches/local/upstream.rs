//! A big model's server in vLLM's dialect that computes nothing, so that only this program and its small model are measured.
//!
//! Its tokens are random, and depend on nothing but their position. At some positions two candidates are nearly equal, and steering changes about half of
//! those.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use futures::{StreamExt, stream};
use rand::rngs::StdRng;
use rand::seq::index::sample;
use rand::{Rng, SeedableRng};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep_until};

/// Tokens of text in SmolLM2's vocabulary.
const TOKENS: Range<usize> = 300..48_900;

/// As vLLM has it by default.
const LONGEST_LIST: usize = 20;

/// How such a server answers.
#[derive(Clone, Copy, Default)]
pub struct Habits {
    /// Milliseconds a token.
    pub pace: u64,
    /// Milliseconds before a request's first token.
    pub delay: u64,
    /// Of a hundred positions, those where two candidates are nearly equal.
    pub near: u64,
}

struct Shared {
    habits: Habits,
    requests: AtomicU64,
}

pub struct PacedUpstream {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl PacedUpstream {
    pub async fn start(habits: Habits) -> Self {
        let shared = Arc::new(Shared {
            habits,
            requests: AtomicU64::new(0),
        });
        let app = Router::new()
            .route("/v1/models", get(models))
            .route("/v1/completions", post(completions))
            .with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // With Nagle's algorithm the first token of a request on a connection that was used before waits 40 ms.
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, shared }
    }

    /// Requests for positions so far.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// How long its own stream of so many tokens takes, in seconds.
    pub async fn plain(&self, tokens: usize) -> f64 {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let body = json!({"prompt": [1], "max_tokens": tokens, "logprobs": 1});
        let url = format!("http://{}/v1/completions", self.address);
        let begun = Instant::now();
        let mut events = client.post(url).json(&body).send().await.unwrap().bytes_stream();
        while let Some(part) = events.next().await {
            part.unwrap();
        }
        begun.elapsed().as_secs_f64()
    }
}

async fn models() -> Json<Value> {
    Json(
        json!({"object": "list", "data": [{"id": "paced", "object": "model", "owned_by": "vllm", "max_model_len": 8192}]}),
    )
}

#[derive(Deserialize)]
struct Wanted {
    prompt: Vec<u32>,
    max_tokens: usize,
    logprobs: usize,
}

async fn completions(State(shared): State<Arc<Shared>>, Json(wanted): Json<Wanted>) -> Response {
    if wanted.logprobs > LONGEST_LIST {
        // The proxy asks for more than there can be, and reads the bound out of the refusal.
        let message = format!("greater than max allowed: {LONGEST_LIST}");
        return (StatusCode::BAD_REQUEST, Json(json!({"error": {"message": message}}))).into_response();
    }
    shared.requests.fetch_add(1, Ordering::Relaxed);
    let Habits { pace, delay, near } = shared.habits;
    // From the beginning, so that what a timer is late by does not add up.
    let begun = Instant::now() + Duration::from_millis(delay);
    let events = stream::iter(0..wanted.max_tokens).then(move |number| {
        let last = number + 1 == wanted.max_tokens;
        let event = event(wanted.prompt.len() + number, wanted.logprobs, near, last);
        async move {
            sleep_until(begun + Duration::from_millis(pace * (number as u64 + 1))).await;
            Ok::<_, Infallible>(event)
        }
    });
    let done = stream::once(async { Ok(Bytes::from_static(b"data: [DONE]\n\n")) });
    let body = Body::from_stream(events.chain(done));
    ([(CONTENT_TYPE, "text/event-stream")], body).into_response()
}

fn event(position: usize, candidates: usize, near: u64, last: bool) -> Bytes {
    let mut random = StdRng::seed_from_u64(position as u64);
    let ids = sample(&mut random, TOKENS.len(), candidates);
    let names: Vec<(usize, String)> = ids
        .iter()
        .map(|index| (TOKENS.start + index, format!("token_id:{}", TOKENS.start + index)))
        .collect();
    let is_near = random.random_range(0..100) < near;
    let logprob = |rank: usize| match rank {
        0 => -0.7,
        1 if is_near => -0.72,
        _ => -6.0 - 0.3 * rank as f64,
    };
    let top: Map<String, Value> = names
        .iter()
        .enumerate()
        .map(|(rank, (_, name))| (name.clone(), json!(logprob(rank))))
        .collect();
    let (id, name) = &names[0];
    let event = json!({
        "id": "paced", "object": "text_completion", "created": 1, "model": "paced",
        "choices": [{
            "index": 0,
            "text": "x",
            "logprobs": {"text_offset": [0], "token_logprobs": [logprob(0)], "tokens": [name], "top_logprobs": [top]},
            "finish_reason": last.then_some("length"),
            "token_ids": [id],
        }],
    });
    Bytes::from(format!("data: {event}\n\n"))
}
