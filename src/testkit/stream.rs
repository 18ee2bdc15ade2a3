use std::collections::VecDeque;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use futures::stream;
use serde_json::Value;

use super::generation::{Generated, Generation};
use super::server::DemoServer;
use crate::wire::{DONE, Envelope, events};

/// How one endpoint writes tokens into choices.
pub trait ChoiceWriter: Send + 'static {
    /// The choice of one token.
    fn choice(&mut self, generated: &Generated) -> Value;
}

/// Answers with one event for each token, as it is made. A client that goes away drops the stream, and with it the
/// generation.
pub fn stream_events(
    server: Arc<DemoServer>,
    generation: Generation,
    envelope: Envelope,
    writer: impl ChoiceWriter,
    include_usage: bool,
) -> Response {
    let opening = envelope.shape().opening(0);
    let opening = opening.map(|choice| envelope.part(vec![choice]).to_string());
    let state = Events {
        server,
        generation,
        envelope,
        writer,
        include_usage,
        ready: opening.into_iter().collect(),
        over: false,
    };
    let texts = stream::unfold(state, |mut state| async move { Some((state.next().await?, state)) });
    events(texts).into_response()
}

struct Events<W> {
    server: Arc<DemoServer>,
    generation: Generation,
    envelope: Envelope,
    writer: W,
    include_usage: bool,
    ready: VecDeque<String>,
    over: bool,
}

impl<W: ChoiceWriter> Events<W> {
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(data) = self.ready.pop_front() {
                return Some(data);
            }
            if self.over {
                return None;
            }
            match self.generation.next(&self.server).await {
                Ok(Some(generated)) => {
                    let choice = self.writer.choice(&generated);
                    self.ready.push_back(self.envelope.part(vec![choice]).to_string());
                }
                Ok(None) => {
                    self.over = true;
                    if self.include_usage {
                        let mut last = self.envelope.part(Vec::new());
                        last["usage"] = self.generation.usage().vllm();
                        self.ready.push_back(last.to_string());
                    }
                    self.ready.push_back(DONE.to_owned());
                }
                Err(refusal) => {
                    self.over = true;
                    self.ready.push_back(refusal.body().to_string());
                }
            }
        }
    }
}
