//! Calls of every family, cut anywhere.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::{Calls, Phases};
use crate::vocabulary::calls_of_families::{WRITTEN, calling, tools};
use crate::vocabulary::{Opening, Thinking, TokenId, Tokenizer, ToolCall};

static TOKENIZER: LazyLock<Tokenizer> =
    LazyLock::new(|| Tokenizer::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/llm")).unwrap());

/// What an answer of this family comes to, where it comes in pieces of these lengths.
fn read(name: &str, thinks: bool, text: &str, cuts: &[usize]) -> (String, String, Vec<ToolCall>) {
    let calls = Calls {
        calling: Arc::new(calling(name)),
        tools: Arc::new(tools()),
        parallel: true,
    };
    let thinking = Arc::new(Thinking::named(&TOKENIZER, "<think>", "</think>"));
    let opening = if thinks { Opening::Free } else { Opening::Answer };
    let mut phases = Phases::after(thinks.then(|| Arc::clone(&thinking)), Some(calls), opening);
    let (mut reasoning, mut prose, mut found, mut rest) = (Vec::new(), Vec::new(), Vec::new(), text.as_bytes());
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*cut).min(rest.len()));
        rest = after;
        let step = phases.hear(TokenId(0), piece);
        reasoning.extend(step.reasoning);
        prose.extend(step.prose);
        found.extend(step.calls);
    }
    let last = phases.finish();
    reasoning.extend(last.reasoning);
    prose.extend(last.prose);
    found.extend(last.calls);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(reasoning), text(prose), found)
}

proptest! {
    #[test]
    fn calls_of_every_family_are_the_same_however_they_are_cut(
        written in prop::sample::select(WRITTEN.to_vec()),
        before in prop::sample::select(vec!["", "Let me <look>.\n\n", "{\"a\": [1]} é "]),
        after in prop::sample::select(vec!["", "\n", " So be it é."]),
        thinks in any::<bool>(),
        cuts in prop::collection::vec(1usize..9, 40),
    ) {
        let (name, call) = written;
        let thought = if thinks { "<think>\nA <tool_call>?\n</think>\n" } else { "" };
        let text = [thought, before, call, after].concat();
        let whole = read(name, thinks, &text, &[usize::MAX]);
        prop_assert_eq!(&read(name, thinks, &text, &cuts), &whole);
        prop_assert_eq!(whole.0.as_str(), if thinks { "A <tool_call>?" } else { "" });
        // Without a mark a call has to be the answer's beginning; harmony's headers say where text begins.
        let is_marked = !call.starts_with("{") || before.is_empty();
        if is_marked && name != "harmony (gpt-oss)" {
            prop_assert_eq!(whole.2.len(), 1, "{}: {:?}", name, whole);
            let wanted = [before.trim_end(), after].concat();
            prop_assert_eq!(whole.1.trim(), wanted.trim());
        }
    }

    #[test]
    fn calls_that_break_off_anywhere_are_whole_or_none(
        written in prop::sample::select(WRITTEN.to_vec()),
        share in 0.0..1.0,
    ) {
        let (name, call) = written;
        let whole = read(name, false, call, &[usize::MAX]).2;
        let mut end = (share * call.len() as f64) as usize;
        while !call.is_char_boundary(end) {
            end -= 1;
        }
        let (_, said, found) = read(name, false, &call[..end], &[3]);
        prop_assert!(found.is_empty() || found == whole, "{}: {:?}", name, found);
        prop_assert!(!found.is_empty() || said == call[..end]);
    }
}
