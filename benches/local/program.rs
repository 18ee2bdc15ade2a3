//! The program in a process of its own, so that its memory is its own.

use std::process::Command;

use procfs::process::Process;
use reqwest::Response;

use crate::models::Model;
use crate::served::{Served, free_address};
use crate::stage::{Question, settings};
use crate::upstream::PacedUpstream;

pub struct Program {
    served: Served,
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
        Self {
            served: Served::start(command, address, "/readyz").await,
        }
    }

    /// A streamed answer, as soon as its first token is there: the status goes out with it. It ends when it is dropped.
    pub async fn open(&self, question: &Question) -> Response {
        let mut body = question.body();
        body["stream"] = true.into();
        body["costeer"]["context"] = question.context.as_str().into();
        let url = format!("{}/v1/chat/completions", self.served.url);
        let answer = self.served.client.post(url).json(&body).send().await.unwrap();
        answer.error_for_status().unwrap()
    }

    /// Resident memory in MB.
    pub fn resident(&self) -> f64 {
        let process = Process::new(self.served.child.id().cast_signed()).unwrap();
        process.status().unwrap().vmrss.unwrap() as f64 * 1024.0 / 1e6
    }
}
