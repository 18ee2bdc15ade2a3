//! Steered answers: one stream of events that knows no API ([`run`]), and a writer for each API, for one body and for a stream.

mod call;
mod event;
mod headers;
mod messages;
mod openai;
mod piece;
mod responses;
mod run;
mod stops;
mod stream;
mod trace;
mod whole;

use axum::Json;
use axum::response::{IntoResponse, Response};

use self::headers::{cost, steered};
use self::messages::MessagesStream;
use self::openai::OpenaiStream;
pub use self::responses::Frame;
use self::responses::ResponsesStream;
use self::run::run;
use self::stream::streamed;
use self::whole::Whole;
use super::ApiError;
use crate::service::SteeredRequest;
use crate::wire::Shape;

/// What an answer looks like.
pub enum Form {
    /// A chat completion or a completion.
    Openai(Shape),
    /// A response.
    Response(Frame),
    /// Anthropic's message.
    Message,
}

/// Answers `request` in one body, or with server-sent events whose headers go out with the first token.
///
/// # Errors
/// An [`ApiError`] when anything fails before the headers are out. A stream that fails later carries it as an event.
pub async fn answer(form: Form, request: SteeredRequest) -> Result<Response, ApiError> {
    let options = request.options().clone();
    let events = run(request).await?;
    if options.stream {
        return Ok(steered(match form {
            Form::Openai(shape) => streamed(events, OpenaiStream::new(shape, options)),
            Form::Response(frame) => streamed(events, ResponsesStream::new(frame)),
            Form::Message => streamed(events, MessagesStream::new(options)),
        }));
    }
    let whole = Whole::collect(events).await?;
    let report = whole.report.clone();
    let body = match form {
        Form::Openai(shape) => openai::body(shape, &options, whole),
        Form::Response(frame) => responses::body(&frame, &options, whole),
        Form::Message => messages::body(&options, whole),
    };
    let mut response = steered(Json(body).into_response());
    cost(response.headers_mut(), &report);
    Ok(response)
}
