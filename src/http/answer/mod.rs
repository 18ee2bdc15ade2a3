//! The shapes of a steered answer: one body, or a stream of parts.

mod logprobs;
mod piece;
mod stops;
mod stream;
mod trace;

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

pub use stream::streamed;

use self::logprobs::logprobs;
use self::piece::{Listed, Pieces};
use super::ApiError;
use super::headers::STEERED;
use crate::decode::{Finish, Report, Session};
use crate::service::SteeredRequest;
use crate::wire::{Envelope, Shape, Usage};

/// The counts of an answer that comes in one body; a stream has them in its last part.
const REPORT: HeaderName = HeaderName::from_static("x-costeer-report");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What all parts of the answers to `request` share.
fn envelope(shape: Shape, request: &SteeredRequest) -> Envelope {
    let model = request.options().model.as_deref().unwrap_or_default();
    Envelope::new(shape, model).fingerprinted()
}

/// Adds an answer to the tokens so far; prompts count once, however often they are answered.
fn count(usage: &mut Usage, session: &Session, first_of_its_prompt: bool) {
    if first_of_its_prompt {
        usage.prompt_tokens += session.prompt_tokens() as u64;
    }
    usage.completion_tokens += session.report().positions;
}

impl SteeredRequest {
    /// The log-probabilities of these tokens; null where they are not wanted.
    fn logprobs(&self, shape: Shape, listed: &[Listed]) -> Value {
        let wanted = self.options().logprobs.is_some();
        wanted.then(|| logprobs(shape, listed, self.token_bytes())).into()
    }
}

/// Runs all sessions to their ends and answers with one body.
///
/// # Errors
/// An [`ApiError`] when one fails anywhere: half an answer is none.
pub async fn collected(shape: Shape, request: SteeredRequest) -> Result<Response, ApiError> {
    let envelope = envelope(shape, &request);
    let (mut choices, mut usage, mut report) = (Vec::new(), Usage::default(), Report::default());
    let mut traces = Vec::new();
    for index in 0..request.answers() {
        let mut session = request.open(index).await?;
        let mut pieces = Pieces::new(request.options().stop.clone());
        let (mut text, mut listed, mut finish) = (String::new(), Vec::new(), None);
        let mut positions = Vec::new();
        while let Some(event) = session.next().await? {
            positions.extend(event.trace.as_deref().map(|trace| request.position(trace)));
            let piece = pieces.take(event, request.token_bytes());
            text.push_str(&piece.text);
            listed.extend(piece.listed);
            finish = piece.finish;
            if finish.is_some() {
                break;
            }
        }
        let logprobs = request.logprobs(shape, &listed);
        choices.push(shape.choice(index, &text, logprobs, finish.map(finish_reason)));
        if request.options().traced {
            traces.push(trace::part(index, Some(trace::settings(session.plan())), positions));
        }
        count(&mut usage, &session, request.is_first_of_its_prompt(index));
        report.add(session.report());
    }
    let mut body = envelope.whole(choices);
    body["usage"] = usage.openai();
    body["costeer"] = json!(report);
    if request.options().traced {
        body["costeer"]["trace"] = traces.into();
    }
    let mut response = steered(Json(body).into_response());
    cost(response.headers_mut(), &report);
    Ok(response)
}

/// What the answer cost, for those who see headers before bodies: the counts, and the time in the form of the Server-Timing
/// specification (W3C), in milliseconds.
fn cost(headers: &mut HeaderMap, report: &Report) {
    let counts = format!(
        "positions={} changed={} passed={} certified={} refetched={} uncertified={} upstream_requests={} \
         refetch_requests={} wasted_tokens={}",
        report.positions,
        report.changed,
        report.passed,
        report.certified,
        report.refetched,
        report.uncertified,
        report.upstream_requests,
        report.refetch_requests,
        report.wasted_tokens
    );
    let parts = report.time.parts();
    let parts = parts.map(|(part, spent)| format!("{part};dur={:.3}", 1e3 * spent.as_secs_f64()));
    for (name, value) in [(REPORT, counts), (SERVER_TIMING, parts.join(", "))] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
    }
}

fn steered(mut response: Response) -> Response {
    response.headers_mut().insert(STEERED, HeaderValue::from_static("true"));
    response
}
