//! What the small model needs to write by itself: llama.cpp's own server on the same file.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use costeer::vocabulary::TokenId;
use serde_json::{Value, json};

use crate::models::Model;
use crate::program::free_address;

pub struct ServerAlone {
    url: String,
    client: reqwest::Client,
    child: Child,
}

impl ServerAlone {
    pub async fn start(model: &Model) -> Self {
        let address = free_address();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/upstreams/llamacpp.py");
        let mut command = Command::new(&model.python);
        command.arg(script).arg("--gguf").arg(&model.gguf);
        command.args(["--slots", "1", "--port", &address.port().to_string()]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self {
            url: format!("http://{address}"),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            child,
        };
        while !server.is_ready().await {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        server
    }

    async fn is_ready(&self) -> bool {
        let answer = self.client.get(format!("{}/health", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Milliseconds a token, as the server says itself, for so many after this prompt.
    pub async fn each(&self, prompt: &[TokenId], tokens: usize) -> f64 {
        let body = json!({
            "prompt": prompt, "n_predict": tokens, "ignore_eos": true, "temperature": 0, "cache_prompt": true,
        });
        let request = self.client.post(format!("{}/completion", self.url)).json(&body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["timings"]["predicted_per_token_ms"].as_f64().unwrap()
    }
}

impl Drop for ServerAlone {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
