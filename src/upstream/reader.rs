use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryFutureExt, TryStreamExt, stream};
use reqwest::Response;
use serde::de::DeserializeOwned;
use sse_stream::{Sse, SseByteStream};
use tokio::time::{Instant, timeout_at};

use super::answer::{LONGEST, whole};
use super::refusal::{comes_in_lines, comes_whole, late};
use super::{Connection, Problem, UpstreamError};

/// What a kind of server puts into the events of its streams.
pub trait Dialect: Send + 'static {
    /// The JSON of an event. A refusal must be readable as one, too: as an event without items.
    type Event: DeserializeOwned;
    /// What events are read into.
    type Item: Send + 'static;

    /// Reads one event.
    ///
    /// # Errors
    /// [`Problem::Malformed`] and its like.
    fn read(&mut self, event: Self::Event) -> Result<Read<Self::Item>, Problem>;
}

/// What stood in an event.
pub struct Read<T> {
    /// Usually one. Events that tell of usage and the like have none, and a busy server puts several into one event.
    pub items: Vec<T>,
    /// The answer is complete; what follows is of no interest.
    pub finished: bool,
}

/// Reads the event stream of an answer. The first event must have come by `deadline`. A stream that ends without an error holds a
/// finished answer. What comes in one JSON body, such as a refusal with status 200, is read as one event, and so is each
/// line of a stream of JSON lines.
pub fn read<D: Dialect>(
    response: Response,
    connection: &Arc<Connection>,
    deadline: Instant,
    dialect: D,
) -> BoxStream<'static, Result<D::Item, UpstreamError>> {
    let unread = Arc::new(AtomicUsize::new(0));
    let events = if comes_whole(&response) {
        let body = whole(response.bytes_stream()).map_ok(|body| {
            let data = Some(String::from_utf8_lossy(&body).into_owned());
            Sse { data, ..Sse::default() }
        });
        stream::once(body).boxed()
    } else {
        let is_lines = comes_in_lines(&response);
        let bytes = bounded(response.bytes_stream(), Arc::clone(&unread));
        if is_lines {
            let bytes = as_events(bytes);
            SseByteStream::new(bytes).map_err(|error| broken(&error)).boxed()
        } else {
            SseByteStream::new(bytes).map_err(|error| broken(&error)).boxed()
        }
    };
    let reader = Reader {
        events,
        unread,
        ready: VecDeque::new(),
        finished: false,
        connection: Arc::clone(connection),
        dialect,
        deadline,
        patience: Instant::now() + connection.timeouts().whole,
        begun: false,
    };
    stream::unfold(reader, |mut reader| async move {
        let next = reader.next().await.transpose()?;
        // After a problem nothing that follows can be trusted.
        reader.finished |= next.is_err();
        let url = reader.connection.url();
        Some((next.map_err(|problem| problem.at(url)), reader))
    })
    .boxed()
}

struct Reader<D: Dialect> {
    events: BoxStream<'static, Result<Sse, Problem>>,
    /// Bytes that have come since the last event.
    unread: Arc<AtomicUsize>,
    /// Read and not handed out.
    ready: VecDeque<D::Item>,
    finished: bool,
    connection: Arc<Connection>,
    dialect: D,
    /// When the next event is overdue.
    deadline: Instant,
    /// When the next event that says something of the answer is overdue.
    patience: Instant,
    /// Whether there has been any.
    begun: bool,
}

/// A connection goes back to the pool when its answer has been read to the end; what comes after the last token gets
/// this long to arrive, and nobody waits for it.
const TAIL: Duration = Duration::from_secs(1);

impl<D: Dialect> Reader<D> {
    async fn next(&mut self) -> Result<Option<D::Item>, Problem> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some(item));
            }
            if self.finished {
                return Ok(None);
            }
            let event = match timeout_at(self.deadline, self.events.next()).await {
                Ok(Some(Ok(event))) => event,
                Ok(Some(Err(problem))) => return Err(problem),
                Ok(None) => return Err(Problem::Cut),
                Err(_) => return Err(self.overdue()),
            };
            self.unread.store(0, Ordering::Relaxed);
            // An event without data is none (HTML, section 9.2.6); some hosts send such to keep the connection alive.
            let Some(data) = event.data.filter(|data| !data.trim().is_empty()) else {
                continue;
            };
            if data == "[DONE]" {
                // Servers say so after a refusal inside the stream as well, but never without a finish before it.
                return Err(Problem::Cut);
            }
            self.take(&data)?;
        }
    }

    fn take(&mut self, data: &str) -> Result<(), Problem> {
        let read = match serde_json::from_str(data) {
            Ok(event) => self.dialect.read(event),
            Err(error) => Err(Problem::Malformed(error.to_string())),
        };
        // Looked for only where there may be one: lists are long, and reading them twice costs time.
        let refusal = || serde_json::from_str(data).ok().as_ref().and_then(late);
        let read = match read {
            Ok(read) if read.items.is_empty() => refusal().map_or(Ok(read), Err)?,
            Ok(read) => read,
            Err(problem) => return Err(refusal().unwrap_or(problem)),
        };
        // What says nothing of the answer, such as a thought that is not listed, is waited for as long as for a whole answer.
        let (now, timeouts) = (Instant::now(), self.connection.timeouts());
        if !read.items.is_empty() {
            self.patience = now + timeouts.whole;
        }
        self.deadline = (now + timeouts.idle).min(self.patience);
        self.begun = true;
        self.ready.extend(read.items);
        if read.finished {
            self.finished = true;
            let rest = std::mem::replace(&mut self.events, stream::empty().boxed());
            tokio::spawn(timeout_at(Instant::now() + TAIL, rest.for_each(|_| async {})));
        }
        Ok(())
    }

    fn overdue(&self) -> Problem {
        let timeouts = self.connection.timeouts();
        let (waited, setting) = if self.begun && self.deadline == self.patience {
            (timeouts.whole, "upstream.answer_timeout_ms")
        } else if self.begun {
            (timeouts.idle, "upstream.idle_timeout_ms")
        } else {
            (timeouts.first_token, "upstream.first_token_timeout_ms")
        };
        Problem::TimedOut { waited, setting }
    }
}

/// Why the bytes of a stream end before the stream does.
#[derive(Debug, thiserror::Error)]
enum Break {
    #[error(transparent)]
    Transport(#[from] reqwest::Error),
    #[error("an event of its stream is longer than {LONGEST} bytes")]
    EndlessEvent,
}

fn broken(error: &sse_stream::Error) -> Problem {
    let sse_stream::Error::Body(cause) = error else {
        return Problem::Malformed(error.to_string());
    };
    if let Some(endless @ Break::EndlessEvent) = cause.downcast_ref() {
        return Problem::Malformed(endless.to_string());
    }
    tracing::debug!(%error, "the upstream's stream broke");
    Problem::Cut
}

/// Each line of JSON as a server-sent event.
fn as_events(
    bytes: impl Stream<Item = Result<Bytes, Break>> + Send,
) -> impl Stream<Item = Result<Bytes, Break>> + Send {
    let mut begun = false;
    let events = bytes.map_ok(move |part| {
        let mut events = Vec::with_capacity(part.len() + 16);
        for byte in part {
            if !begun {
                events.extend(b"data: ");
            }
            begun = byte != b'\n';
            events.push(byte);
            if !begun {
                events.push(b'\n');
            }
        }
        Bytes::from(events)
    });
    // The last line may have no end.
    events.chain(stream::once(async { Ok(Bytes::from_static(b"\n\n")) }))
}

/// Ends a stream whose event is too long, because an event is held in memory until it is whole. The reader sets `unread` to 0 with each
/// event.
fn bounded(
    bytes: impl Stream<Item = reqwest::Result<Bytes>> + Send,
    unread: Arc<AtomicUsize>,
) -> impl Stream<Item = Result<Bytes, Break>> + Send {
    bytes.map(move |part| {
        let part = part?;
        if unread.fetch_add(part.len(), Ordering::Relaxed) + part.len() > LONGEST {
            Err(Break::EndlessEvent)
        } else {
            Ok(part)
        }
    })
}
