//! The shapes of a steered answer: one body, or a stream of chunks (OpenAI API reference, chat completions).

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde_json::{Value, json};

use super::forward::STEERED;
use super::{ApiError, ChatRequest};
use crate::decode::{DecodeError, Event, Finish, Report, Session};

/// The counts of an answer that comes in one body; a stream has them in its last chunk.
const REPORT: HeaderName = HeaderName::from_static("x-costeer-report");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What all parts of one answer share.
pub struct Answer {
    id: String,
    created: u64,
    model: Value,
    include_usage: bool,
}

impl Answer {
    /// An answer to `request`, with a fresh id.
    pub fn new(request: &ChatRequest) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            id: format!("chatcmpl-{}", uuid::Uuid::new_v4().simple()),
            created: now.map_or(0, |since| since.as_secs()),
            model: json!(request.model.as_deref().unwrap_or_default()),
            include_usage: request.include_usage,
        }
    }

    fn chunk(&self, choices: Value) -> Value {
        let mut chunk = json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
        });
        if self.include_usage {
            // OpenAI: null on every chunk but the last.
            chunk["usage"] = Value::Null;
        }
        chunk
    }

    fn delta(&self, delta: Value, finish: Option<Finish>) -> Value {
        self.chunk(json!([{
            "index": 0,
            "delta": delta,
            "logprobs": null,
            "finish_reason": finish.map(finish_reason),
        }]))
    }
}

fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
    }
}

fn usage(session: &Session) -> Value {
    let (prompt, completion) = (session.prompt_tokens() as u64, session.report().positions);
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    })
}

/// Runs the session to its end and answers with one body.
///
/// # Errors
/// An [`ApiError`] when it fails anywhere: half an answer is none.
pub async fn collected(answer: Answer, mut session: Session) -> Result<Response, ApiError> {
    let mut content = String::new();
    let mut finish = None;
    while let Some(event) = session.next().await? {
        content.push_str(&event.text);
        finish = event.finish;
    }
    let body = json!({
        "id": answer.id,
        "object": "chat.completion",
        "created": answer.created,
        "model": answer.model,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": content, "refusal": null},
            "logprobs": null,
            "finish_reason": finish.map(finish_reason),
        }],
        "usage": usage(&session),
        "costeer": session.report(),
    });
    let mut response = steered(Json(body).into_response());
    cost(response.headers_mut(), session.report());
    Ok(response)
}

/// Answers with server-sent events. Headers go out with the first token, so that whatever fails before it has a status
/// of its own.
///
/// # Errors
/// An [`ApiError`] when the session fails before its first token.
pub async fn streamed(answer: Answer, mut session: Session) -> Result<Response, ApiError> {
    let first = session.next().await;
    if let Err(error) = first {
        return Err(error.into());
    }
    let role = json!({"role": "assistant", "content": ""});
    let mut writer = Writer {
        ready: VecDeque::from([answer.delta(role, None).to_string()]),
        answer,
        session: Some(session),
    };
    writer.write(first);
    let events = stream::unfold(writer, |mut writer| async move {
        let data = writer.next().await?;
        Some((Ok::<_, Infallible>(SseEvent::default().data(data)), writer))
    });
    let response = Sse::new(events).keep_alive(KeepAlive::default()).into_response();
    Ok(steered(response))
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

/// Turns a session's events into the data of server-sent events.
struct Writer {
    answer: Answer,
    /// `None` once it has ended: its lane is free before the last chunks are sent.
    session: Option<Session>,
    ready: VecDeque<String>,
}

impl Writer {
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(data) = self.ready.pop_front() {
                return Some(data);
            }
            let next = self.session.as_mut()?.next().await;
            self.write(next);
        }
    }

    fn write(&mut self, next: Result<Option<Event>, DecodeError>) {
        match next {
            Ok(Some(event)) => self.write_event(&event),
            Ok(None) => self.session = None,
            Err(error) => {
                self.session = None;
                // No [DONE] after it: a cut answer must not look like a finished one.
                self.ready.push_back(ApiError::from(error).body().to_string());
            }
        }
    }

    fn write_event(&mut self, event: &Event) {
        if !event.text.is_empty() {
            let delta = self.answer.delta(json!({"content": event.text}), None);
            self.ready.push_back(delta.to_string());
        }
        let Some(finish) = event.finish else {
            return;
        };
        let Some(session) = self.session.take() else {
            return;
        };
        let mut last = self.answer.delta(json!({}), Some(finish));
        last["costeer"] = json!(session.report());
        self.ready.push_back(last.to_string());
        if self.answer.include_usage {
            let mut chunk = self.answer.chunk(json!([]));
            chunk["usage"] = usage(&session);
            self.ready.push_back(chunk.to_string());
        }
        self.ready.push_back("[DONE]".to_owned());
    }
}
