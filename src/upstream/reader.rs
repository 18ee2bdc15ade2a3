use std::collections::VecDeque;
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use reqwest::Response;
use sse_stream::{Sse, SseByteStream};
use tokio::time::{Instant, timeout_at};

use super::vllm::Timeouts;
use super::wire::CompletionEvent;
use super::{Position, Positions, UpstreamError};

/// Reads the event stream of an answer into positions. The first must have come by `deadline`.
pub fn read(response: Response, url: &str, top_k: usize, deadline: Instant, timeouts: Timeouts) -> Positions {
    let reader = Reader {
        events: SseByteStream::new(response.bytes_stream()).boxed(),
        ready: VecDeque::new(),
        finished: false,
        url: url.to_owned(),
        top_k,
        deadline,
        overdue: Overdue::FirstToken,
        timeouts,
    };
    stream::unfold(reader, |mut reader| async move {
        let next = reader.next().await?;
        // After an error nothing that follows can be trusted.
        reader.finished |= next.is_err();
        Some((next, reader))
    })
    .boxed()
}

struct Reader {
    events: BoxStream<'static, Result<Sse, sse_stream::Error>>,
    /// Positions of the last event that have not been handed out; under load one event can hold several.
    ready: VecDeque<Position>,
    /// The answer is complete; what follows (usage, `[DONE]`) is of no interest.
    finished: bool,
    url: String,
    top_k: usize,
    /// When the next event is overdue, and which one that is.
    deadline: Instant,
    overdue: Overdue,
    timeouts: Timeouts,
}

/// What has been waited for too long.
#[derive(Clone, Copy)]
pub enum Overdue {
    FirstToken,
    NextToken,
}

impl Overdue {
    /// The error that names the setting behind the wait.
    pub fn error(self, url: &str, timeouts: Timeouts) -> UpstreamError {
        let (waited, setting) = match self {
            Self::FirstToken => (timeouts.first_token, "upstream.first_token_timeout_ms"),
            Self::NextToken => (timeouts.idle, "upstream.idle_timeout_ms"),
        };
        UpstreamError::TimedOut {
            url: url.to_owned(),
            waited,
            setting,
        }
    }
}

/// A connection goes back to the pool when its answer has been read to the end; what comes after the last token gets
/// this long to arrive, and nobody waits for it.
const TAIL: Duration = Duration::from_secs(1);

impl Reader {
    async fn next(&mut self) -> Option<Result<Position, UpstreamError>> {
        loop {
            if let Some(position) = self.ready.pop_front() {
                return Some(Ok(position));
            }
            if self.finished {
                return None;
            }
            let event = match timeout_at(self.deadline, self.events.next()).await {
                Ok(Some(Ok(event))) => event,
                Ok(Some(Err(error))) => {
                    tracing::debug!(%error, "the upstream's stream broke");
                    return Some(Err(UpstreamError::Cut));
                }
                Ok(None) => return Some(Err(UpstreamError::Cut)),
                Err(_) => return Some(Err(self.overdue.error(&self.url, self.timeouts))),
            };
            self.deadline = Instant::now() + self.timeouts.idle;
            self.overdue = Overdue::NextToken;
            match event.data.as_deref() {
                None => {}
                // Servers say [DONE] after a refusal inside the stream as well, but never without a finish before it.
                Some("[DONE]") => return Some(Err(UpstreamError::Cut)),
                Some(data) => {
                    if let Err(error) = self.take(data) {
                        return Some(Err(error));
                    }
                }
            }
        }
    }

    fn take(&mut self, data: &str) -> Result<(), UpstreamError> {
        let event: CompletionEvent =
            serde_json::from_str(data).map_err(|error| UpstreamError::Malformed(error.to_string()))?;
        if let Some((status, message)) = event.refusal() {
            let status = status.unwrap_or(502);
            return Err(UpstreamError::Refused { status, message });
        }
        let Some(choice) = event.choices.into_iter().next() else {
            return Ok(());
        };
        if choice.finish_reason.is_some() {
            self.finished = true;
            let rest = std::mem::replace(&mut self.events, stream::empty().boxed());
            tokio::spawn(timeout_at(Instant::now() + TAIL, rest.for_each(|_| async {})));
        }
        self.ready.extend(choice.positions(self.top_k)?);
        Ok(())
    }
}
