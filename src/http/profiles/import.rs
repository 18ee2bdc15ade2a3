use std::path::Path;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use futures::StreamExt;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use zeroize::Zeroizing;

use super::body::read;
use super::intake::{Intake, Stopped};
use crate::http::gate::{check_bytes, whole_within};
use crate::http::{ApiError, App};
use crate::store::import::{Wanted, given};
use crate::store::{ProfileName, Store, StoreError};

/// The largest file that is taken: it is held in memory while it is read, so that nothing private is left in another file.
const MOST_FILE_BYTES: usize = 256 << 20;

/// Lines of progress that may wait for a slow client.
const UNREAD: usize = 8;

/// What the first line of the body says about the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    /// The file's name, with the folders it is in.
    path: String,
    /// Whose the documents are that do not say so themselves.
    profile: Option<ProfileName>,
    /// When it was last changed, in milliseconds since 1970.
    modified: Option<i64>,
    /// How chats and mails call the owner.
    #[serde(default)]
    me: Vec<String>,
    /// Whether what others say in chats is wanted as well.
    #[serde(default)]
    everyone: bool,
}

/// `POST /costeer/v1/import`: reads a file as `costeer profile import` does, and puts what is in it into the store. The body is a line of JSON
/// that says what the file is, and then the file's bytes, because headers and addresses end up in logs. The answer is lines of JSON: how
/// far it is, and at the end what it came to.
///
/// # Errors
/// 400 for the first line, 413 and 415; what happens later is in the last line.
pub async fn import(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<([(HeaderName, &'static str); 1], Body), ApiError> {
    check_bytes(request.headers())?;
    let most = app.max_body_bytes.max(MOST_FILE_BYTES);
    let body = whole_within(most, request.into_body()).await?;
    let mut bytes = body.ok_or_else(|| ApiError::file_too_large(most))?;
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let head: Head = read(
        bytes.get(..end).unwrap_or_default(),
        "a line with {\"path\", \"profile\"?, \"modified\"?, \"me\"?: [...], \"everyone\"?}, and after it the file",
    )?;
    let file = bytes.len().min(end + 1);
    bytes.drain(..file);
    let (lines, reader) = channel(UNREAD);
    tokio::spawn(async move {
        let failing = lines.clone();
        let done = app
            .service
            .store()
            .with(move |store| Ok(take_in(store, head, bytes, &lines)));
        let failed = match done.await {
            Ok(Ok(()) | Err(Stopped::Gone)) => return,
            Ok(Err(Stopped::Failed(error))) => error,
            Err(error) => error.into(),
        };
        // Nobody may be there any more to be told.
        let _gone = failing.send(failed.body()).await;
    });
    Ok((
        [(CONTENT_TYPE, "application/x-ndjson")],
        Body::from_stream(as_lines(reader)),
    ))
}

fn as_lines(reader: Receiver<Value>) -> impl futures::Stream<Item = Result<Bytes, StoreError>> + Send {
    futures::stream::unfold(reader, async |mut reader| {
        let line = reader.recv().await?;
        Some((line, reader))
    })
    .map(|line| Ok(Bytes::from(format!("{line}\n"))))
}

/// On a thread that may take its time.
fn take_in(store: &Store, head: Head, bytes: Zeroizing<Vec<u8>>, lines: &Sender<Value>) -> Result<(), Stopped> {
    let wanted = Wanted {
        format: None,
        me: head.me,
        everyone: head.everyone,
    };
    let modified = head.modified.and_then(|time| Timestamp::from_millisecond(time).ok());
    let intake = Intake::new(store, head.profile, lines);
    match given(Path::new(&head.path), bytes, modified, &wanted) {
        Ok(reading) => intake.all(reading),
        Err(error) => Err(Stopped::unreadable(&error)),
    }
}
