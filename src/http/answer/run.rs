//! Running the sessions of a request: the one place that turns them into answers.

use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;
use tracing::Instrument;

use super::event::AnswerEvent;
use super::piece::Pieces;
use super::trace;
use crate::decode::{Event, Report, Session};
use crate::http::ApiError;
use crate::service::SteeredRequest;
use crate::wire::Usage;

/// What happens in the answers, or why they break off: after an error nothing comes.
pub type Events = Receiver<Result<AnswerEvent, ApiError>>;

/// Events that may wait for a slow client.
const UNREAD: usize = 32;

/// How long a client may leave them unread. It holds a slot of the small model for as long as its answer lasts.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs all sessions, one after the other, and gives what happens in them from the first token on, so that whatever fails before it can have
/// a status of its own.
///
/// # Errors
/// An [`ApiError`] when the first session fails before its first token.
pub async fn run(request: SteeredRequest) -> Result<Events, ApiError> {
    let mut session = request.open(0).await?;
    let first = session.next().await?;
    let (reader, events) = channel(UNREAD);
    let runner = Runner {
        request,
        usage: Usage::default(),
        report: Report::default(),
        reader,
    };
    // In a task of its own, so that a client that does not read cannot hold the session still.
    tokio::spawn(runner.run(session, first).in_current_span());
    Ok(events)
}

/// Runs one session after the other.
struct Runner {
    request: SteeredRequest,
    usage: Usage,
    report: Report,
    reader: Sender<Result<AnswerEvent, ApiError>>,
}

/// The client is gone, or does not read.
struct Gone;

/// Why running ended early.
enum Ended {
    Gone,
    Failed(ApiError),
}

impl From<Gone> for Ended {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl Runner {
    async fn run(mut self, session: Session, first: Option<Event>) {
        match self.answers(session, first).await {
            Ok(()) | Err(Ended::Gone) => {}
            Err(Ended::Failed(error)) => {
                let _gone = self.send(Err(error)).await;
            }
        }
    }

    async fn answers(&mut self, session: Session, first: Option<Event>) -> Result<(), Ended> {
        self.answer(0, session, first).await?;
        for index in 1..self.request.answers() {
            let mut session = tokio::select! {
                biased;
                () = self.reader.closed() => return Err(Ended::Gone),
                opened = self.request.open(index) => opened.map_err(|error| Ended::Failed(error.into()))?,
            };
            let first = self.unless_gone(&mut session).await?;
            self.answer(index, session, first).await?;
        }
        let (usage, report) = (self.usage, self.report.clone());
        self.send(Ok(AnswerEvent::End { usage, report })).await?;
        Ok(())
    }

    async fn answer(&mut self, index: usize, mut session: Session, first: Option<Event>) -> Result<(), Ended> {
        let settings = self.request.options().traced.then(|| trace::settings(session.plan()));
        let begin = AnswerEvent::Begin {
            index,
            prompt_tokens: session.prompt_tokens() as u64,
            settings,
        };
        self.send(Ok(begin)).await?;
        let mut pieces = Pieces::new(self.request.options().stop.clone());
        let mut next = first;
        while let Some(event) = next {
            let position = event.trace.as_deref().map(|trace| self.request.position(trace));
            let (mut piece, finish) = pieces.take(event, self.request.token_bytes());
            piece.position = position;
            if !piece.is_empty() {
                self.send(Ok(AnswerEvent::More { index, piece })).await?;
            }
            if let Some(finish) = finish {
                let report = session.report().clone();
                self.count(&session, self.request.is_first_of_its_prompt(index));
                // Its slot is free before the last events are sent.
                drop(session);
                let stop = pieces.stopped_at();
                let finished = AnswerEvent::Finish {
                    index,
                    finish,
                    stop,
                    report,
                };
                return Ok(self.send(Ok(finished)).await?);
            }
            next = self.unless_gone(&mut session).await?;
        }
        Ok(())
    }

    /// Adds an answer to what all have cost; prompts count once, however often they are answered.
    fn count(&mut self, session: &Session, first_of_its_prompt: bool) {
        if first_of_its_prompt {
            self.usage.prompt_tokens += session.prompt_tokens() as u64;
        }
        self.usage.completion_tokens += session.report().positions;
        if session.plan().thinking.is_some() {
            *self.usage.reasoning_tokens.get_or_insert(0) += session.report().reasoning;
        }
        self.report.add(session.report());
    }

    /// The next event; ends at once when the client leaves.
    async fn unless_gone(&self, session: &mut Session) -> Result<Option<Event>, Ended> {
        tokio::select! {
            biased;
            () = self.reader.closed() => Err(Ended::Gone),
            event = session.next() => event.map_err(|error| Ended::Failed(error.into())),
        }
    }

    async fn send(&self, event: Result<AnswerEvent, ApiError>) -> Result<(), Gone> {
        match timeout(READ_TIMEOUT, self.reader.send(event)).await {
            Ok(sent) => sent.map_err(|_| Gone),
            Err(_) => {
                tracing::info!(timeout = ?READ_TIMEOUT, "a client did not read its answer and was given up");
                Err(Gone)
            }
        }
    }
}
