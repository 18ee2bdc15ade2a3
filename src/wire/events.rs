use std::convert::Infallible;

use axum::response::sse::{Event, Sse};
use futures::{Stream, StreamExt};

/// The last event of a stream that has come to its end.
pub const DONE: &str = "[DONE]";

/// A response of server-sent events, one for each text.
pub fn events<S>(texts: S) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<S>>
where
    S: Stream<Item = String> + Send + 'static,
{
    Sse::new(texts.map(|text| Ok(Event::default().data(text))))
}
