use serde_json::{Value, json};

use super::envelope::{message, stop_reason, text, thinking, tool_use};
use crate::http::answer::trace;
use crate::http::answer::whole::Whole;
use crate::service::Options;

/// The answer in one body.
pub fn body(options: &Options, whole: Whole) -> Value {
    let answer = whole.answers.into_iter().next().unwrap_or_default();
    let mut content = Vec::new();
    if !answer.reasoning.is_empty() {
        content.push(thinking(&answer.reasoning));
    }
    let is_silent = answer.text.trim().is_empty() && !answer.calls.is_empty();
    if !answer.text.is_empty() && !is_silent {
        content.push(text(&answer.text));
    }
    let input = |arguments: &str| serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
    content.extend(answer.calls.iter().map(|call| tool_use(call, &input(&call.arguments))));
    let mut body = message(options, content, whole.usage.prompt_tokens);
    body["stop_reason"] = answer
        .finish
        .map(|finish| stop_reason(finish, answer.stop.as_ref()))
        .into();
    body["stop_sequence"] = answer.stop.into();
    body["usage"]["output_tokens"] = whole.usage.completion_tokens.into();
    body["costeer"] = json!(whole.report);
    if options.traced {
        body["costeer"]["trace"] = json!([trace::part(0, answer.settings, answer.positions)]);
    }
    body
}
