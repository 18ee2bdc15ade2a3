use std::path::Path;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use serde_json::json;

use super::calls::CallReader;
use super::{Calls, Phase, Phases, Step};
use crate::vocabulary::{Calling, Opening, Thinking, TokenId, Tokenizer, ToolCall};

static TOKENIZER: LazyLock<Tokenizer> =
    LazyLock::new(|| Tokenizer::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/llm")).unwrap());

fn phases(opening: Opening) -> Phases {
    let thinking = Thinking::named(&TOKENIZER, "<think>", "</think>");
    Phases::after(Some(Arc::new(thinking)), None, opening)
}

/// Calls of a model with this chat template.
fn calls(template: &str) -> Calls {
    let tools = [json!({"type": "function", "function": {"name": "weather"}})];
    Calls {
        calling: Arc::new(Calling::of_template(&TOKENIZER, template).unwrap()),
        tools: Arc::new(tools),
        parallel: true,
    }
}

const HERMES: &str = "<tool_call> </tool_call> \"arguments\"";
const LLAMA: &str = "\"parameters\": dictionary of argument name and its value";
const HARMONY: &str = "<|channel|>commentary functions.";
const CALL: &str = "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"town\": \"Oslo\"}}\n</tool_call>";

fn weather() -> ToolCall {
    ToolCall {
        name: "weather".to_owned(),
        arguments: "{\"town\": \"Oslo\"}".to_owned(),
    }
}

/// What an answer came to.
#[derive(Default, Debug, PartialEq)]
pub(super) struct Whole {
    pub(super) reasoning: String,
    pub(super) prose: String,
    /// The same by the tokens that the small model follows.
    pub(super) followed: String,
    /// Positions by where they belong.
    thought: usize,
    said: usize,
    called: usize,
    calls: Vec<ToolCall>,
}

impl Whole {
    fn add(&mut self, step: Step) {
        self.add_with(&TOKENIZER, step);
    }

    pub(super) fn add_with(&mut self, tokenizer: &Tokenizer, step: Step) {
        self.reasoning.push_str(std::str::from_utf8(&step.reasoning).unwrap());
        self.prose.push_str(std::str::from_utf8(&step.prose).unwrap());
        self.followed.push_str(&tokenizer.bytes().text(&step.tokens));
        self.followed.push_str(std::str::from_utf8(&step.spilt).unwrap());
        self.calls.extend(step.calls);
        match step.phase {
            Phase::Undecided => {}
            Phase::Reasoning => self.thought += 1 + step.decided,
            Phase::Call => self.called += 1,
            Phase::Prose => self.said += 1 + step.decided,
        }
    }
}

fn read(phases: &mut Phases, text: &str) -> Whole {
    let mut whole = Whole::default();
    for token in TOKENIZER.encode(text).unwrap() {
        whole.add(phases.take(token, &TOKENIZER));
    }
    let rest = phases.finish();
    whole.reasoning.push_str(&String::from_utf8(rest.reasoning).unwrap());
    whole.prose.push_str(&String::from_utf8(rest.prose).unwrap());
    whole.calls.extend(rest.calls);
    whole
}

#[test]
fn a_thought_is_parted_from_the_answer_however_it_begins() {
    for (opening, text) in [
        (Opening::Free, "<think>\nWell. So <b>?\n</think>\n\nA dinner."),
        (Opening::Free, "\n<think>Well. So <b>?</think>A dinner."),
        (Opening::Thought, "Well. So <b>?\n</think>\n\nA dinner."),
    ] {
        let whole = read(&mut phases(opening), text);
        assert_eq!(
            (whole.reasoning.as_str(), whole.prose.as_str()),
            ("Well. So <b>?", "A dinner.")
        );
        assert_eq!(whole.followed, "A dinner.");
        let all = TOKENIZER.encode(text).unwrap().len();
        assert_eq!(whole.thought + whole.said, all, "{text:?}");
        assert!(whole.said <= TOKENIZER.encode("A dinner.").unwrap().len());
    }
}

#[test]
fn an_answer_without_a_thought_loses_nothing() {
    for text in [
        "A dinner.",
        "<b>A dinner</b>",
        "<thin",
        "\n\nA dinner.",
        "A <think>dinner</think>.",
    ] {
        let whole = read(&mut phases(Opening::Free), text);
        assert_eq!((whole.reasoning.as_str(), whole.prose.as_str()), ("", text));
        assert_eq!(whole.thought, 0);
    }
    let text = "<think>\n</think>\n";
    assert_eq!(read(&mut phases(Opening::Answer), text).prose, text);
    let none = &mut Phases::new(None, None, &TOKENIZER, &[]);
    assert_eq!(read(none, text).followed, text);
}

#[test]
fn a_thought_that_is_cut_off_says_what_it_had() {
    let whole = read(&mut phases(Opening::Free), "<think>\nWell, </th");
    assert_eq!((whole.reasoning.as_str(), whole.prose.as_str()), ("Well, </th", ""));
}

#[test]
fn only_what_may_be_a_mark_is_left_to_the_upstream() {
    let first = |text: &str| TOKENIZER.encode(text).unwrap()[0];
    let mut phases = phases(Opening::Free);
    assert!(!phases.belongs_to_reasoning(first("A"), &TOKENIZER));
    assert!(!phases.belongs_to_reasoning(TOKENIZER.end(), &TOKENIZER));
    assert!(phases.belongs_to_reasoning(first("<think>"), &TOKENIZER));
    read(&mut phases, "<think>");
    assert!(phases.is_reasoning() && phases.belongs_to_reasoning(first("A"), &TOKENIZER));
    read(&mut phases, "So.</think>");
    assert!(phases.belongs_to_reasoning(first("\n"), &TOKENIZER));
    assert!(!phases.belongs_to_reasoning(first("A"), &TOKENIZER));
    assert!(!phases.belongs_to_reasoning(TOKENIZER.end(), &TOKENIZER));
    read(&mut phases, "A");
    assert!(!phases.belongs_to_reasoning(first("<think>"), &TOKENIZER));
}

#[test]
fn calls_are_parted_from_the_prose_around_them() {
    let reader = || Phases::new(None, Some(calls(HERMES)), &TOKENIZER, &[]);
    for (text, prose, count) in [
        (CALL.to_owned(), "", 1),
        (format!("Let me look.\n\n{CALL}"), "Let me look.", 1),
        (format!("{CALL}\n{CALL}\n"), "\n", 2),
        (format!("A < b. {CALL} Done."), "A < b. Done.", 1),
        ("Write <tool_call> so.".to_owned(), "Write <tool_call> so.", 0),
        (
            "<tool_call>{\"name\": 5}</tool_call>!".to_owned(),
            "<tool_call>{\"name\": 5}</tool_call>!",
            0,
        ),
        (format!("So: {}", &CALL[..40]), &*format!("So: {}", &CALL[..40]), 0),
        ("So <tool".to_owned(), "So <tool", 0),
    ] {
        let whole = read(&mut reader(), &text);
        assert_eq!(whole.prose, prose, "{text}");
        assert_eq!(whole.calls, vec![weather(); count], "{text}");
        // The small model may read all of it.
        assert_eq!(whole.followed, text);
    }
    let cut = format!("{CALL}!").replace("</tool_call>!", "");
    assert_eq!(read(&mut reader(), &cut).calls, [weather()]);
    let none = &mut Phases::new(None, None, &TOKENIZER, &[]);
    assert_eq!(read(none, CALL).prose, CALL);
}

#[test]
fn a_call_may_be_an_answers_beginning_and_follow_a_thought() {
    let written = "{\"name\": \"weather\", \"parameters\": {\"town\": \"Oslo\"}}";
    let llama = || Phases::new(None, Some(calls(LLAMA)), &TOKENIZER, &[]);
    assert_eq!(read(&mut llama(), written).calls, [weather()]);
    let later = format!("So {written}");
    assert_eq!(read(&mut llama(), &later).prose, later);
    let other = "{\"name\": \"Ada\"} is JSON.";
    assert_eq!(read(&mut llama(), other).prose, other);

    let thinking = Thinking::named(&TOKENIZER, "<think>", "</think>");
    let mut phases = Phases::after(Some(Arc::new(thinking)), Some(calls(HERMES)), Opening::Free);
    let whole = read(&mut phases, &format!("<think>\nWell.</think>\n\n{CALL}"));
    assert_eq!((whole.reasoning.as_str(), whole.prose.as_str()), ("Well.", ""));
    assert_eq!(whole.calls, [weather()]);

    let harmony = Thinking::named(
        &TOKENIZER,
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
    );
    let mut phases = Phases::after(Some(Arc::new(harmony)), Some(calls(HARMONY)), Opening::Free);
    let whole = read(
        &mut phases,
        "<|channel|>analysis<|message|>Well.<|end|><|start|>assistant<|channel|>commentary to=functions.weather \
         <|constrain|>json<|message|>{\"town\": \"Oslo\"}",
    );
    assert_eq!((whole.reasoning.as_str(), whole.prose.as_str()), ("Well.", ""));
    assert_eq!(whole.calls, [weather()]);
}

#[test]
fn only_calls_and_what_may_begin_one_are_left_to_the_upstream() {
    let first = |text: &str| TOKENIZER.encode(text).unwrap()[0];
    let mut phases = Phases::new(None, Some(calls(HERMES)), &TOKENIZER, &[]);
    assert_eq!(phases.expected(first("A"), &TOKENIZER), Phase::Prose);
    assert_eq!(phases.expected(TOKENIZER.end(), &TOKENIZER), Phase::Prose);
    assert_eq!(phases.expected(first("<"), &TOKENIZER), Phase::Call);
    let (head, tail) = CALL.split_at(30);
    for token in TOKENIZER.encode(head).unwrap() {
        phases.take(token, &TOKENIZER);
    }
    assert!(phases.is_call() && !phases.is_prose());
    assert_eq!(phases.expected(first("A"), &TOKENIZER), Phase::Call);
    for token in TOKENIZER.encode(tail).unwrap() {
        phases.take(token, &TOKENIZER);
    }
    assert!(phases.is_prose());
    assert_eq!(phases.expected(first("A"), &TOKENIZER), Phase::Prose);
}

proptest! {
    #[test]
    fn however_calls_are_cut_they_are_the_same(
        parts in prop::collection::vec("(CALL|<tool_call>\\{|</tool_call>|[a< \nt\"\\\\]{1,4})", 0..6),
        cuts in prop::collection::vec(1usize..7, 40),
    ) {
        let text = parts.concat().replace("CALL", CALL);
        let outcome = |cuts: &[usize]| {
            let mut reader = CallReader::new(calls(HERMES));
            let (mut prose, mut found, mut rest) = (Vec::new(), Vec::new(), text.as_bytes());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                rest = after;
                let (parted, _) = reader.push(piece);
                prose.extend(parted.prose);
                found.extend(parted.calls);
            }
            let last = reader.finish();
            prose.extend(last.prose);
            found.extend(last.calls);
            (String::from_utf8(prose).unwrap(), found)
        };
        let (prose, found) = outcome(&cuts);
        prop_assert_eq!((prose.clone(), found.clone()), outcome(&[usize::MAX]));
        // Nothing but the calls and blanks before them is gone.
        let letters = |text: &str| text.bytes().filter(|byte| !byte.is_ascii_whitespace()).count();
        prop_assert_eq!(letters(&prose) + found.len() * letters(CALL), letters(&text));
    }

    #[test]
    fn however_a_text_is_cut_it_is_parted_the_same_way(
        thought in "[a</thinké \n]{0,24}",
        prose in "[a</thinké \n]{0,24}",
        is_open in any::<bool>(),
        cuts in prop::collection::vec(1usize..6, 60),
    ) {
        prop_assume!(!thought.contains("</think>"));
        let thinking = Thinking::named(&TOKENIZER, "<think>", "</think>");
        let text = format!("{}{thought}</think>{prose}", if is_open { "" } else { "<think>" });
        let mut phases = phases(if is_open { Opening::Thought } else { Opening::Free });
        let (mut reasoning, mut said, mut positions, mut count) = (Vec::new(), Vec::new(), 0, 0);
        let mut rest = text.as_bytes();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            rest = after;
            let step = phases.read(&thinking, TokenId(0), piece);
            positions += usize::from(step.phase != Phase::Undecided) + step.decided;
            count += 1;
            reasoning.extend(step.reasoning);
            said.extend(step.prose);
        }
        let rest = phases.finish();
        reasoning.extend(rest.reasoning);
        said.extend(rest.prose);
        prop_assert_eq!(positions, count);
        // Only ASCII blanks are layout.
        prop_assert_eq!(&reasoning[..], thought.as_bytes().trim_ascii());
        prop_assert_eq!(&said[..], prose.as_bytes().trim_ascii_start());
    }
}
