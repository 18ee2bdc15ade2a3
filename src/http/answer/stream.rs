use std::convert::Infallible;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};

use super::event::AnswerEvent;
use super::run::Events;
use crate::http::ApiError;

/// Writes what happens in the answers as the server-sent events of one API.
pub trait StreamWriter: Send + 'static {
    /// What a client gets to see of `event`.
    fn write(&mut self, event: AnswerEvent) -> Vec<Event>;

    /// What it gets to see of an answer that breaks off.
    fn failed(&mut self, error: &ApiError) -> Vec<Event>;

    /// What it gets to see while nothing happens.
    fn keep_alive(&self) -> KeepAlive {
        KeepAlive::default()
    }
}

/// A response of server-sent events.
pub fn streamed(events: Events, writer: impl StreamWriter) -> Response {
    let keep_alive = writer.keep_alive();
    let parts = stream::unfold((events, writer), |(mut events, mut writer)| async move {
        let written = match events.recv().await? {
            Ok(event) => writer.write(event),
            Err(error) => writer.failed(&error),
        };
        let written = written.into_iter().map(Ok::<_, Infallible>);
        Some((stream::iter(written), (events, writer)))
    });
    Sse::new(parts.flatten()).keep_alive(keep_alive).into_response()
}
