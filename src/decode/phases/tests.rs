use std::path::Path;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::{Phase, Phases, Step};
use crate::vocabulary::{Opening, Thinking, TokenId, Tokenizer};

static TOKENIZER: LazyLock<Tokenizer> =
    LazyLock::new(|| Tokenizer::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/llm")).unwrap());

fn phases(opening: Opening) -> Phases {
    let thinking = Thinking::named(&TOKENIZER, "<think>", "</think>");
    Phases::after(Some(Arc::new(thinking)), opening)
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
        match step.phase {
            Phase::Undecided => {}
            Phase::Reasoning => self.thought += 1 + step.decided,
            Phase::Prose => self.said += 1 + step.decided,
        }
    }
}

fn read(phases: &mut Phases, text: &str) -> Whole {
    let mut whole = Whole::default();
    for token in TOKENIZER.encode(text).unwrap() {
        whole.add(phases.take(token, &TOKENIZER));
    }
    let (reasoning, prose) = phases.finish();
    whole.reasoning.push_str(&String::from_utf8(reasoning).unwrap());
    whole.prose.push_str(&String::from_utf8(prose).unwrap());
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
    let none = &mut Phases::new(None, &TOKENIZER, &[]);
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

proptest! {
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
        let (last, left) = phases.finish();
        reasoning.extend(last);
        said.extend(left);
        prop_assert_eq!(positions, count);
        // Only ASCII blanks are layout.
        prop_assert_eq!(&reasoning[..], thought.as_bytes().trim_ascii());
        prop_assert_eq!(&said[..], prose.as_bytes().trim_ascii_start());
    }
}
