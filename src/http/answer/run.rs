//! Running the sessions of a request: the one place that turns them into answers.

use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;
use tracing::Instrument;

use super::event::AnswerEvent;
use super::piece::Pieces;
use super::trace;
use crate::decode::{Event, Report, Session};
use crate::http::ApiError;
use crate::service::{GivenSlot, Opened, SteeredRequest};
use crate::wire::Usage;

/// What happens in the answers, or why they break off: after an error nothing comes.
pub type Events = Receiver<Result<AnswerEvent, ApiError>>;

/// Events that may wait for a slow client.
const UNREAD: usize = 32;

/// How long a client may leave them unread. It holds a slot of the small model for as long as its answer lasts.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs all sessions, side by side as far as there are slots, and gives what happens in them from the first token on, so that whatever
/// fails before it can have a status of its own.
///
/// # Errors
/// An [`ApiError`] when the first session fails before its first token.
pub async fn run(request: SteeredRequest) -> Result<Events, ApiError> {
    let mut opened = request.open(0, None).await?;
    let first = opened.session.next().await?;
    let (reader, events) = channel(UNREAD);
    let runner = Runner { request, reader };
    let begun = Begun {
        index: 0,
        opened,
        first,
    };
    // In a task of its own, so that a client that does not read cannot hold the sessions still.
    tokio::spawn(runner.run(begun).in_current_span());
    Ok(events)
}

/// Runs the sessions of a request.
struct Runner {
    request: SteeredRequest,
    reader: Sender<Result<AnswerEvent, ApiError>>,
}

/// An answer that has had its first token.
struct Begun {
    index: usize,
    opened: Opened,
    first: Option<Event>,
}

/// What has happened to an answer.
enum Happened {
    Begun(Box<Begun>),
    /// It has ended, and what it has cost.
    Ended(Usage, Box<Report>),
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
    async fn run(self, first: Begun) {
        match self.answers(first).await {
            Ok(()) | Err(Ended::Gone) => {}
            Err(Ended::Failed(error)) => {
                let _gone = self.send(Err(error)).await;
            }
        }
    }

    async fn answers(&self, first: Begun) -> Result<(), Ended> {
        let (mut usage, mut report) = (Usage::default(), Report::default());
        let mut running = FuturesUnordered::new();
        running.push(self.answer(first).boxed());
        let (mut next, mut is_beginning) = (1, false);
        loop {
            // One after the other: what is computed of a prompt for one answer serves the next, if it is there by then.
            if !is_beginning
                && next < self.request.answers()
                && let Some(slot) = self.request.slot()
            {
                running.push(self.begin(next, slot).boxed());
                (next, is_beginning) = (next + 1, true);
            }
            match running.next().await.transpose()? {
                Some(Happened::Begun(begun)) => {
                    is_beginning = false;
                    running.push(self.answer(*begun).boxed());
                }
                Some(Happened::Ended(used, cost)) => {
                    usage.add(&used);
                    report.add(&cost);
                }
                None => break,
            }
        }
        self.send(Ok(AnswerEvent::End { usage, report })).await?;
        Ok(())
    }

    async fn begin(&self, index: usize, slot: GivenSlot) -> Result<Happened, Ended> {
        let mut opened = tokio::select! {
            biased;
            () = self.reader.closed() => return Err(Ended::Gone),
            opened = self.request.open(index, Some(slot)) => opened.map_err(|error| Ended::Failed(error.into()))?,
        };
        let first = self.unless_gone(&mut opened.session).await?;
        Ok(Happened::Begun(Box::new(Begun { index, opened, first })))
    }

    async fn answer(&self, begun: Begun) -> Result<Happened, Ended> {
        let Begun { index, opened, first } = begun;
        let Opened { mut session, slot } = opened;
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
                let usage = self.usage(&session, self.request.is_first_of_its_prompt(index));
                let report = session.report().clone();
                // Its slot is free before the last events are sent.
                drop(session);
                drop(slot);
                let finished = AnswerEvent::Finish {
                    index,
                    finish,
                    stop: pieces.stopped_at(),
                    report: report.clone(),
                };
                self.send(Ok(finished)).await?;
                return Ok(Happened::Ended(usage, Box::new(report)));
            }
            next = self.unless_gone(&mut session).await?;
        }
        Ok(Happened::Ended(Usage::default(), Box::default()))
    }

    /// What an answer adds to the count of tokens; prompts count once, however often they are answered.
    fn usage(&self, session: &Session, first_of_its_prompt: bool) -> Usage {
        let (prompt, report) = (session.prompt_tokens() as u64, session.report());
        Usage {
            prompt_tokens: if first_of_its_prompt { prompt } else { 0 },
            completion_tokens: report.positions,
            reasoning_tokens: session.plan().thinking.is_some().then_some(report.reasoning),
        }
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
