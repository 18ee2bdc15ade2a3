//! What is measured through the library: a service in front of a paced upstream, and its sessions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use costeer::context::{PrivateContext, Sources};
use costeer::decode::{Report, Session};
use costeer::http::chat_request;
use costeer::service::{PublicRequest, Service};
use costeer::settings::{Variables, load};
use costeer::vocabulary::TokenId;
use serde_json::{Value, json};

use crate::models::Model;
use crate::upstream::PacedUpstream;

/// Room for what is remembered, in MB.
pub const CACHE_MB: u32 = 512;

/// Words of the long context.
pub const LONG: usize = 700;

/// How long somebody reads an answer.
const READING: Duration = Duration::from_secs(2);

/// Lets somebody read an answer. Meanwhile the engine makes it ready for the next turn, and two engines at once on the same cores would slow
/// each other down many times over.
pub async fn read() {
    tokio::time::sleep(READING).await;
}

/// What the program is told, here or in a process of its own.
pub fn settings(model: &Model, upstream: &PacedUpstream, more: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("upstream.url", format!("http://{}/v1", upstream.address)),
        ("local.model", model.path.display().to_string()),
        ("local.engine", model.engine.to_owned()),
        ("local.cache_mb", CACHE_MB.to_string()),
        ("steering.strength", "1".to_owned()),
        ("steering.max_tokens", "4096".to_owned()),
        ("context.budget", "4096".to_owned()),
    ];
    all.extend(more.iter().map(|(key, value)| (*key, (*value).to_owned())));
    all
}

pub async fn service(model: &Model, upstream: &PacedUpstream, more: &[(&'static str, &str)]) -> Arc<Service> {
    let settings = load(None, Variables::Ignore, &settings(model, upstream, more)).unwrap();
    Service::load(&settings).await.unwrap()
}

/// A chat, and what its answer is steered by.
#[derive(Clone)]
pub struct Question {
    messages: Vec<Value>,
    pub context: String,
    pub tokens: usize,
    /// The seed, where it is drawn and not the likeliest.
    seed: Option<u64>,
}

/// The prompts that the small model is given for a question.
pub struct Lengths {
    pub public: usize,
    pub private: Vec<TokenId>,
}

impl Question {
    pub fn new(question: &str, context: String, tokens: usize) -> Self {
        Self {
            messages: vec![json!({"role": "user", "content": question})],
            context,
            tokens,
            seed: None,
        }
    }

    /// The same, drawn.
    pub fn drawn(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The next turn of the same chat.
    pub fn after(mut self, answer: &str, question: &str) -> Self {
        self.messages.push(json!({"role": "assistant", "content": answer}));
        self.messages.push(json!({"role": "user", "content": question}));
        self
    }

    pub fn body(&self) -> Value {
        let temperature = if self.seed.is_some() { 1 } else { 0 };
        json!({
            "messages": self.messages,
            "temperature": temperature,
            "seed": self.seed.unwrap_or(0),
            "max_tokens": self.tokens,
        })
    }

    fn request(&self) -> PublicRequest {
        chat_request(self.body().as_object().unwrap()).ok().unwrap()
    }

    pub fn prompts(&self, service: &Service) -> Lengths {
        let sources = Sources::from(PrivateContext::new(self.context.clone()));
        let prompt = &self.request().prompts[0];
        let composed = service.prompts().compose(prompt, &sources, Some(self.tokens)).unwrap();
        Lengths {
            public: composed.public.len(),
            private: composed.private.ids().to_vec(),
        }
    }

    pub async fn open(&self, service: &Service) -> Session {
        let context = PrivateContext::new(self.context.clone());
        service.open_session(&self.request(), &context).await.unwrap()
    }

    /// The whole answer.
    pub async fn answer(&self, service: &Service) -> Answer {
        let begun = Instant::now();
        let mut session = self.open(service).await;
        let (mut first, mut text) = (None, String::new());
        while let Some(event) = session.next().await.unwrap() {
            first.get_or_insert_with(|| begun.elapsed());
            text.push_str(&event.text);
        }
        Answer {
            text,
            first: first.unwrap(),
            wall: begun.elapsed(),
            report: session.report().clone(),
        }
    }

    /// The whole answer, and the time to read it.
    pub async fn answer_and_read(&self, service: &Service) -> Answer {
        let answer = self.answer(service).await;
        read().await;
        answer
    }

    /// Seconds until the first token, and no further.
    pub async fn first_token(&self, service: &Service) -> f64 {
        let begun = Instant::now();
        let mut session = self.open(service).await;
        assert!(session.next().await.unwrap().is_some());
        begun.elapsed().as_secs_f64()
    }
}

pub struct Answer {
    pub text: String,
    pub first: Duration,
    pub wall: Duration,
    pub report: Report,
}

impl Answer {
    /// Milliseconds a token, after the first.
    pub fn each(&self) -> f64 {
        1e3 * (self.wall - self.first).as_secs_f64() / (self.report.positions - 1) as f64
    }

    /// Of a hundred positions, those that steering changed.
    pub fn changed(&self) -> f64 {
        100.0 * self.report.changed as f64 / self.report.positions as f64
    }
}
