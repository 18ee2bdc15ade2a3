//! What the small model needs to write by itself: llama.cpp's own server on the same file.

use std::process::Command;

use costeer::vocabulary::TokenId;
use serde_json::{Value, json};

use crate::models::Model;
use crate::served::{Served, free_address};

pub struct ServerAlone {
    served: Served,
}

impl ServerAlone {
    pub async fn start(model: &Model) -> Self {
        let address = free_address();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/upstreams/llamacpp.py");
        let mut command = Command::new(&model.python);
        command.arg(script).arg("--gguf").arg(&model.gguf);
        command.args(["--slots", "1", "--port", &address.port().to_string()]);
        Self {
            served: Served::start(command, address, "/health").await,
        }
    }

    /// Milliseconds a token, as the server says itself, for so many after this prompt.
    pub async fn each(&self, prompt: &[TokenId], tokens: usize) -> f64 {
        let body = json!({
            "prompt": prompt, "n_predict": tokens, "ignore_eos": true, "temperature": 0, "cache_prompt": true,
        });
        let request = self
            .served
            .client
            .post(format!("{}/completion", self.served.url))
            .json(&body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["timings"]["predicted_per_token_ms"].as_f64().unwrap()
    }
}
