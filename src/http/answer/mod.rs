//! The shapes of a steered answer: one body, or a stream of parts.

mod piece;
mod shape;
mod stops;
mod stream;
mod trace;

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

pub use shape::Shape;
pub use stream::streamed;

use self::piece::{Listed, Pieces};
use super::ApiError;
use super::headers::STEERED;
use crate::decode::{Report, Session};
use crate::service::SteeredRequest;

/// The counts of an answer that comes in one body; a stream has them in its last part.
const REPORT: HeaderName = HeaderName::from_static("x-costeer-report");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Answers are the same as long as this is: the seed of OpenAI's API promises no more.
const FINGERPRINT: &str = concat!("costeer-", env!("CARGO_PKG_VERSION"));

/// What all parts of one answer share.
struct Envelope {
    shape: Shape,
    id: String,
    created: u64,
    model: Value,
}

impl Envelope {
    /// With a fresh id.
    fn new(shape: Shape, request: &SteeredRequest) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            shape,
            id: format!("{}-{}", shape.prefix(), uuid::Uuid::new_v4().simple()),
            created: now.map_or(0, |since| since.as_secs()),
            model: json!(request.options().model.as_deref().unwrap_or_default()),
        }
    }

    fn around(&self, object: &str, choices: Value) -> Value {
        json!({
            "id": self.id,
            "object": object,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": FINGERPRINT,
            "choices": choices,
        })
    }
}

/// Tokens of the request so far.
#[derive(Default)]
struct Usage {
    prompt: usize,
    completion: u64,
}

impl Usage {
    /// Adds an answer; prompts count once, however often they are answered.
    fn add(&mut self, session: &Session, first_of_its_prompt: bool) {
        if first_of_its_prompt {
            self.prompt += session.prompt_tokens();
        }
        self.completion += session.report().positions;
    }

    fn json(&self) -> Value {
        let prompt = self.prompt as u64;
        json!({
            "prompt_tokens": prompt,
            "completion_tokens": self.completion,
            "total_tokens": prompt + self.completion,
        })
    }
}

impl SteeredRequest {
    /// The log-probabilities of these tokens; null where they are not wanted.
    fn logprobs(&self, shape: Shape, listed: &[Listed]) -> Value {
        let wanted = self.options().logprobs.is_some();
        wanted.then(|| shape.logprobs(listed, self.token_bytes())).into()
    }
}

/// Runs all sessions to their ends and answers with one body.
///
/// # Errors
/// An [`ApiError`] when one fails anywhere: half an answer is none.
pub async fn collected(shape: Shape, request: SteeredRequest) -> Result<Response, ApiError> {
    let envelope = Envelope::new(shape, &request);
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
        choices.push(shape.choice(index, &text, logprobs, finish));
        if request.options().traced {
            traces.push(trace::part(index, Some(trace::settings(session.plan())), positions));
        }
        usage.add(&session, request.is_first_of_its_prompt(index));
        report.add(session.report());
    }
    let mut body = envelope.around(shape.object(), choices.into());
    body["usage"] = usage.json();
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

fn steered(mut response: Response) -> Response {
    response.headers_mut().insert(STEERED, HeaderValue::from_static("true"));
    response
}
