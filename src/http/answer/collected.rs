use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::headers::{cost, steered};
use super::piece::Pieces;
use super::shared::{count, envelope, finish_reason, logprobs_of};
use super::trace;
use crate::decode::Report;
use crate::http::ApiError;
use crate::service::SteeredRequest;
use crate::wire::{Shape, Usage};

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
        let (mut text, mut tokens, mut finish) = (String::new(), Vec::new(), None);
        let mut reasoning = String::new();
        let mut positions = Vec::new();
        while let Some(event) = session.next().await? {
            positions.extend(event.trace.as_deref().map(|trace| request.position(trace)));
            let piece = pieces.take(event, request.token_bytes());
            text.push_str(&piece.text);
            reasoning.push_str(&piece.reasoning);
            tokens.extend(piece.tokens);
            finish = piece.finish;
            if finish.is_some() {
                break;
            }
        }
        let logprobs = logprobs_of(&request, shape, &tokens);
        let mut choice = shape.choice(index, &text, logprobs, finish.map(finish_reason));
        shape.add_reasoning(&mut choice, &reasoning);
        choices.push(choice);
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
