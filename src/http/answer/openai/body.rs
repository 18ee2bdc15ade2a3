use serde_json::{Value, json};

use super::calls::add_calls;
use super::shared::{envelope, finish_reason, logprobs_of};
use crate::http::answer::trace;
use crate::http::answer::whole::Whole;
use crate::service::Options;
use crate::wire::Shape;

/// All answers in one body.
pub fn body(shape: Shape, options: &Options, whole: Whole) -> Value {
    let (mut choices, mut traces) = (Vec::new(), Vec::new());
    for (index, answer) in whole.answers.into_iter().enumerate() {
        let logprobs = logprobs_of(options, shape, &answer.tokens);
        let mut choice = shape.choice(index, &answer.text, logprobs, answer.finish.map(finish_reason));
        shape.add_reasoning(&mut choice, &answer.reasoning);
        add_calls(&mut choice, &answer.calls);
        choices.push(choice);
        if options.traced {
            traces.push(trace::part(index, answer.settings, answer.positions));
        }
    }
    let mut body = envelope(shape, options).whole(choices);
    body["usage"] = whole.usage.openai();
    body["costeer"] = json!(whole.report);
    if options.traced {
        body["costeer"]["trace"] = traces.into();
    }
    body
}
