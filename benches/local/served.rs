//! A server in a process of its own, which ends when it is dropped.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub struct Served {
    pub url: String,
    pub client: reqwest::Client,
    pub child: Child,
}

impl Served {
    /// Starts it and waits until `ready`, a path of its own, answers.
    pub async fn start(mut command: Command, address: SocketAddr, ready: &str) -> Self {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let served = Self {
            url: format!("http://{address}"),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            child,
        };
        while !served.answers(ready).await {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        served
    }

    async fn answers(&self, path: &str) -> bool {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// An address of this machine that nothing listens on.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
