use std::time::Duration;

use axum::response::sse::KeepAlive;
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde_json::{Value, json};
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::timeout;

use super::headers::steered;
use super::piece::Pieces;
use super::shared::{count, envelope, finish_reason, logprobs_of};
use super::trace;
use crate::decode::{Event, Finish, Session};
use crate::http::ApiError;
use crate::service::SteeredRequest;
use crate::wire::{DONE, Envelope, Shape, Usage, events};

/// Parts that may wait for a slow client.
const UNREAD: usize = 32;

/// How long a client may leave them unread. It holds a slot of the small model for as long as its answer lasts.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Answers with server-sent events. Headers go out with the first token, so that whatever fails before it has a status
/// of its own.
///
/// # Errors
/// An [`ApiError`] when the first session fails before its first token.
pub async fn streamed(shape: Shape, request: SteeredRequest) -> Result<Response, ApiError> {
    let mut session = request.open(0).await?;
    let first = session.next().await?;
    let (client, parts) = channel(UNREAD);
    let writer = Writer {
        envelope: envelope(shape, &request),
        request,
        usage: Usage::default(),
        client,
    };
    // In a task of its own, so that a client that does not read cannot hold the session still.
    tokio::spawn(writer.write(session, first));
    let parts = stream::unfold(parts, |mut parts| async move { Some((parts.recv().await?, parts)) });
    Ok(steered(events(parts).keep_alive(KeepAlive::default()).into_response()))
}

/// Writes one answer after the other into the stream.
struct Writer {
    envelope: Envelope,
    request: SteeredRequest,
    usage: Usage,
    client: Sender<String>,
}

/// The client is gone, or does not read.
struct Gone;

/// Why writing ended early.
enum Ended {
    Gone,
    Failed(ApiError),
}

impl From<Gone> for Ended {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl Writer {
    async fn write(mut self, session: Session, first: Option<Event>) {
        match self.answers(session, first).await {
            Ok(()) | Err(Ended::Gone) => {}
            // No [DONE] after it: a cut answer must not look like a finished one.
            Err(Ended::Failed(error)) => {
                let _gone = self.send(error.body().to_string()).await;
            }
        }
    }

    async fn answers(&mut self, session: Session, first: Option<Event>) -> Result<(), Ended> {
        self.answer(0, session, first).await?;
        for index in 1..self.request.answers() {
            let mut session = tokio::select! {
                biased;
                () = self.client.closed() => return Err(Ended::Gone),
                opened = self.request.open(index) => opened.map_err(|error| Ended::Failed(error.into()))?,
            };
            let first = self.unless_gone(&mut session).await?;
            self.answer(index, session, first).await?;
        }
        if self.request.options().include_usage {
            let mut last = self.part(Vec::new());
            last["usage"] = self.usage.openai();
            self.send(last.to_string()).await?;
        }
        self.send(DONE.to_owned()).await?;
        Ok(())
    }

    async fn answer(&mut self, index: usize, mut session: Session, first: Option<Event>) -> Result<(), Ended> {
        let shape = self.envelope.shape();
        if let Some(opening) = shape.opening(index) {
            self.send(self.part(vec![opening]).to_string()).await?;
        }
        let mut pieces = Pieces::new(self.request.options().stop.clone());
        let mut settings = self.request.options().traced.then(|| trace::settings(session.plan()));
        let mut next = first;
        while let Some(event) = next {
            let position = event.trace.as_deref().map(|trace| self.request.position(trace));
            let piece = pieces.take(event, self.request.token_bytes());
            let says = !piece.text.is_empty() || !piece.reasoning.is_empty() || !piece.tokens.is_empty();
            if says || position.is_some() {
                let logprobs = logprobs_of(&self.request, shape, &piece.tokens);
                let text = (!piece.text.is_empty()).then_some(piece.text.as_str());
                let mut choice = shape.part_choice(index, text, logprobs, None);
                shape.add_reasoning(&mut choice, &piece.reasoning);
                let mut part = self.part(vec![choice]);
                if let Some(position) = position {
                    part["costeer"] = json!({"trace": trace::part(index, settings.take(), vec![position])});
                }
                self.send(part.to_string()).await?;
            }
            if let Some(finish) = piece.finish {
                return self.finish(index, finish, session).await;
            }
            next = self.unless_gone(&mut session).await?;
        }
        Ok(())
    }

    async fn finish(&mut self, index: usize, finish: Finish, session: Session) -> Result<(), Ended> {
        let report = json!(session.report());
        count(&mut self.usage, &session, self.request.is_first_of_its_prompt(index));
        // Its slot is free before the last parts are sent.
        drop(session);
        let shape = self.envelope.shape();
        let last = shape.part_choice(index, None, Value::Null, Some(finish_reason(finish)));
        let mut last = self.part(vec![last]);
        last["costeer"] = report;
        self.send(last.to_string()).await?;
        Ok(())
    }

    fn part(&self, choices: Vec<Value>) -> Value {
        let mut part = self.envelope.part(choices);
        if self.request.options().include_usage {
            // OpenAI: null on every part but the last.
            part["usage"] = Value::Null;
        }
        part
    }

    /// The next event; ends at once when the client leaves.
    async fn unless_gone(&self, session: &mut Session) -> Result<Option<Event>, Ended> {
        tokio::select! {
            biased;
            () = self.client.closed() => Err(Ended::Gone),
            event = session.next() => event.map_err(|error| Ended::Failed(error.into())),
        }
    }

    async fn send(&self, data: String) -> Result<(), Gone> {
        match timeout(READ_TIMEOUT, self.client.send(data)).await {
            Ok(sent) => sent.map_err(|_| Gone),
            Err(_) => {
                tracing::info!(timeout = ?READ_TIMEOUT, "a client did not read its answer and was given up");
                Err(Gone)
            }
        }
    }
}
