//! Steered answers: one stream of events that knows no API ([`run`]), and a writer for each API, for one body and for a stream.

mod event;
mod headers;
mod openai;
mod piece;
mod run;
mod stops;
mod stream;
mod trace;
mod whole;

use axum::Json;
use axum::response::{IntoResponse, Response};

use self::headers::{cost, steered};
use self::openai::OpenaiStream;
use self::run::run;
use self::stream::streamed;
use self::whole::Whole;
use super::ApiError;
use crate::service::SteeredRequest;
use crate::wire::Shape;

/// Answers `request` in one body, or with server-sent events whose headers go out with the first token.
///
/// # Errors
/// An [`ApiError`] when anything fails before the headers are out. A stream that fails later carries it as an event.
pub async fn answer(shape: Shape, request: SteeredRequest) -> Result<Response, ApiError> {
    let options = request.options().clone();
    let events = run(request).await?;
    if options.stream {
        return Ok(steered(streamed(events, OpenaiStream::new(shape, options))));
    }
    let whole = Whole::collect(events).await?;
    let report = whole.report.clone();
    let mut response = steered(Json(openai::body(shape, &options, whole)).into_response());
    cost(response.headers_mut(), &report);
    Ok(response)
}
