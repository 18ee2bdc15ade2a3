//! The program in a process of its own, so that its memory is its own.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use procfs::process::Process;
use reqwest::Response;

use crate::models::Model;
use crate::stage::{Question, settings};
use crate::upstream::PacedUpstream;

pub struct Program {
    url: String,
    client: reqwest::Client,
    child: Child,
}

impl Program {
    pub async fn start(model: &Model, upstream: &PacedUpstream, more: &[(&'static str, &str)]) -> Self {
        let address = free_address();
        let mut command = Command::new(env!("CARGO_BIN_EXE_costeer"));
        command.args(["serve", "--listen", &address.to_string()]);
        command.env("COSTEER__LOG__FILTER", "off");
        for (key, value) in settings(model, upstream, more) {
            command.env(format!("COSTEER__{}", key.to_uppercase().replace('.', "__")), value);
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let program = Self {
            url: format!("http://{address}"),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            child,
        };
        while !program.is_ready().await {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        program
    }

    async fn is_ready(&self) -> bool {
        let answer = self.client.get(format!("{}/readyz", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// A streamed answer, as soon as its first token is there: the status goes out with it. It ends when it is dropped.
    pub async fn open(&self, question: &Question) -> Response {
        let mut body = question.body();
        body["stream"] = true.into();
        body["costeer"]["context"] = question.context.as_str().into();
        let url = format!("{}/v1/chat/completions", self.url);
        let answer = self.client.post(url).json(&body).send().await.unwrap();
        answer.error_for_status().unwrap()
    }

    /// Resident memory in MB.
    pub fn resident(&self) -> f64 {
        let process = Process::new(self.child.id().cast_signed()).unwrap();
        process.status().unwrap().vmrss.unwrap() as f64 * 1024.0 / 1e6
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// An address of this machine that nothing listens on.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
