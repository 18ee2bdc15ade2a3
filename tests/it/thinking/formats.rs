//! Models that think, and answers that must have a format: whatever the upstream begins with, the answer is in its format.

use serde_json::{Value, json};

use super::{BEGUN, HARMONY, Marks, Pair, SPECIAL, SPELLED, TAGS, THOUGHT, steered};
use crate::support::{DINNER, content, question};

/// Granite's, which mark the answer, too.
const RESPONSE: Marks = Marks {
    template: "{# <think></think> <response></response> #}",
    ..SPELLED
};

fn asking(fields: &Value) -> Value {
    let mut body = question(DINNER);
    body["max_tokens"] = json!(120);
    for (field, value) in fields.as_object().unwrap() {
        body[field] = value.clone();
    }
    body
}

/// What the big model begins with, and what of it is a thought.
fn beginnings() -> Vec<(Marks, String, &'static str)> {
    let whole = |marks: Marks| (marks, marks.said(), THOUGHT);
    let none = |marks: Marks, said: &str| (marks, said.to_owned(), "");
    let well = |marks: Marks, said: &str| (marks, said.to_owned(), "Well.");
    vec![
        none(TAGS, "\n"),
        none(TAGS, "<"),
        none(TAGS, "\n\n<b>Soup"),
        none(SPELLED, "<"),
        none(SPELLED, "\n<thin"),
        none(SPELLED, "<thinks>\n"),
        none(SPECIAL, " "),
        none(HARMONY, "\n\n"),
        none(RESPONSE, "<respond>"),
        whole(TAGS),
        whole(BEGUN),
        whole(SPECIAL),
        whole(SPELLED),
        whole(HARMONY),
        (SPELLED, ["\n", &SPELLED.said()].concat(), THOUGHT),
        well(TAGS, "\n<think>Well.</think>\n\n<b>"),
        well(SPELLED, "<think>\nWell.</think>Soup"),
        well(SPELLED, "<think>\nWell.</think><b>"),
        well(RESPONSE, "<think>Well.</think><re"),
        well(RESPONSE, "<think>Well.</think>\n<response>"),
        well(RESPONSE, "<think>Well.</think>\n<result>"),
    ]
}

#[test]
fn a_format_holds_whatever_the_answer_begins_with() {
    run_all(&["adaptive"]);
}

#[test]
#[ignore = "long proof: each beginning with three windows; the plain run has one"]
fn a_format_holds_whatever_the_answer_begins_with_and_however_it_comes() {
    run_all(&["1", "2", "16"]);
}

fn run_all(lookaheads: &'static [&'static str]) {
    crate::support::run(async move {
        let schema = json!({
            "type": "object", "required": ["dish"], "additionalProperties": false,
            "properties": {"dish": {"enum": ["soup", "salad"]}},
        });
        for (marks, said, thought) in beginnings() {
            let pair = Pair::saying(marks, Some(&said), "").await;
            for lookahead in lookaheads {
                let address = pair.proxy(&[("upstream.lookahead", lookahead)]).await;
                let whole = steered(address, &asking(&json!({"guided_json": schema}))).await;
                let dish: Value = serde_json::from_str(&content(&whole))
                    .unwrap_or_else(|error| panic!("{said:?} at {lookahead}: {error}: {whole}"));
                assert!(["soup", "salad"].contains(&dish["dish"].as_str().unwrap()), "{whole}");
                let choice = &whole["choices"][0];
                let reasoning = choice["message"]["reasoning"].as_str().unwrap_or_default();
                assert_eq!(reasoning, thought, "{said:?} at {lookahead}");
                assert_eq!(choice["finish_reason"], "stop");
            }
        }
    });
}

#[test]
fn what_may_look_like_a_mark_is_the_answers_where_the_format_wants_it() {
    crate::support::run(async {
        for (marks, said) in [
            (TAGS, "<b>"),
            (SPELLED, "<b>"),
            (SPELLED, "\n\n"),
            (TAGS, &*TAGS.said()),
        ] {
            let pair = Pair::saying(marks, Some(said), "").await;
            let address = pair.proxy(&[]).await;
            for regex in ["<b>(soup|rice)</b>", "\n\n(soup|rice)", " {3}<t(soup|rice)"] {
                let whole = steered(address, &asking(&json!({"guided_regex": regex}))).await;
                let said = content(&whole);
                let dish = ["soup", "rice"].into_iter().find(|dish| said.contains(dish));
                let wanted = regex.replace("(soup|rice)", dish.unwrap_or_else(|| panic!("{whole}")));
                assert_eq!(said, wanted.replace(" {3}", "   "), "{whole}");
            }
        }
    });
}
