use serde_json::{Value, json};

use super::frame::{Frame, id, status};
use super::items::{Kind, call};
use crate::http::answer::openai::rows;
use crate::http::answer::trace;
use crate::http::answer::whole::Whole;
use crate::service::Options;

/// The answer in one body.
pub fn body(frame: &Frame, options: &Options, whole: Whole) -> Value {
    let answer = whole.answers.into_iter().next().unwrap_or_default();
    let mut output = Vec::new();
    if !answer.reasoning.is_empty() {
        let kind = Kind::Reasoning;
        output.push(kind.item(&id(kind.prefix()), "completed", vec![kind.part(&answer.reasoning, &[])]));
    }
    let is_silent = answer.text.trim().is_empty() && !answer.calls.is_empty();
    if !is_silent && (!answer.text.is_empty() || output.is_empty()) {
        let (kind, logprobs) = (Kind::Message, rows(&answer.tokens));
        let part = kind.part(&answer.text, &logprobs);
        output.push(kind.item(&id(kind.prefix()), status(answer.finish), vec![part]));
    }
    let calls = answer
        .calls
        .iter()
        .map(|one| call(&id("fc"), one, &one.arguments, "completed"));
    output.extend(calls);
    let mut body = frame.ended(output, answer.finish, whole.usage);
    body["costeer"] = json!(whole.report);
    if options.traced {
        body["costeer"]["trace"] = json!([trace::part(0, answer.settings, answer.positions)]);
    }
    body
}
