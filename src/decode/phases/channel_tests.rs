//! Answers that are a row of messages, and answers between marks.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::tests::Whole;
use super::{Phase, Phases};
use crate::vocabulary::{Opening, Thinking, Tokenizer, channels};

/// The shipped tokenizer with these special tokens. The first of `ends` of them end a turn.
fn tokenizer(names: &[&str], ends: usize) -> Tokenizer {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/llm");
    let folder = std::env::temp_dir().join(format!("costeer-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(
        shipped.join("tokenizer_config.json"),
        folder.join("tokenizer_config.json"),
    )
    .unwrap();
    let ids: Vec<usize> = (3454..3454 + ends).chain([3453]).collect();
    let generation = serde_json::json!({"eos_token_id": ids});
    std::fs::write(folder.join("generation_config.json"), generation.to_string()).unwrap();
    let mut file: serde_json::Value =
        serde_json::from_slice(&std::fs::read(shipped.join("tokenizer.json")).unwrap()).unwrap();
    for (id, name) in (3454..).zip(names) {
        file["added_tokens"].as_array_mut().unwrap().push(serde_json::json!({
            "id": id, "content": name, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true,
        }));
    }
    std::fs::write(folder.join("tokenizer.json"), file.to_string()).unwrap();
    let tokenizer = Tokenizer::load(&folder).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    tokenizer
}

const OPEN: &str = "<|channel|>analysis<|message|>";
const CLOSE: &str = "<|end|><|start|>assistant<|channel|>final<|message|>";

/// gpt-oss' tokens, of which the first `ends` end a turn.
fn harmony(ends: usize) -> Tokenizer {
    let names: Vec<&str> = [
        "<|return|>",
        "<|call|>",
        "<|end|>",
        "<|start|>",
        "<|channel|>",
        "<|message|>",
        "<|constrain|>",
    ]
    .into();
    tokenizer(&names, ends)
}

/// What an answer comes to, up to the end of the turn.
fn read(tokenizer: &Tokenizer, thinking: &Thinking, text: &str) -> Whole {
    let mut phases = Phases::after(Some(Arc::new(thinking.clone())), None, Opening::Free);
    let mut whole = Whole::default();
    for token in tokenizer.encode(text).unwrap() {
        // A session takes such tokens where they are unsteered alone.
        if tokenizer.bytes().get(token).is_empty() && !tokenizer.ends().contains(&token) {
            assert!(
                phases.belongs_to_reasoning(token, tokenizer),
                "{text}: {}",
                tokenizer.name(token)
            );
        }
        if tokenizer.ends().contains(&token) && !phases.is_mark(token) {
            break;
        }
        whole.add_with(tokenizer, phases.take(token, tokenizer));
    }
    let rest = phases.finish();
    whole.reasoning.push_str(&String::from_utf8(rest.reasoning).unwrap());
    whole.prose.push_str(&String::from_utf8(rest.prose).unwrap());
    whole
}

#[test]
fn messages_go_where_their_channel_says() {
    // Some files count the end of a message as the end of a turn.
    for ends in [2, 3] {
        let tokenizer = harmony(ends);
        let thinking = Thinking::named(&tokenizer, OPEN, CLOSE);
        assert!(thinking.has_channels);
        let thought = "<|channel|>analysis<|message|>They ask. So what?<|end|>";
        let answer = "<|start|>assistant<|channel|>final<|message|>A dinner.";
        let preamble = "<|start|>assistant<|channel|>commentary<|message|>Let me look.<|end|>";
        let call =
            "<|start|>assistant<|channel|>commentary to=functions.look <|constrain|>json<|message|>{\"at\": 1}<|call|>";
        let other = "<|start|>assistant to=functions.look<|channel|>commentary json<|message|>{}<|call|>";
        let again = "<|start|>assistant<|channel|>analysis<|message|> One more.<|end|>";
        for (text, reasoning, prose) in [
            ([thought, answer].concat(), "They ask. So what?", "A dinner."),
            (
                [thought, answer, "<|return|>more"].concat(),
                "They ask. So what?",
                "A dinner.",
            ),
            (
                [thought, again, answer].concat(),
                "They ask. So what?\n\nOne more.",
                "A dinner.",
            ),
            (
                "<|channel|>final<|message|>A dinner.<|return|>".to_owned(),
                "",
                "A dinner.",
            ),
            ("<|channel|>final <|constrain|>json<|message|>{}".to_owned(), "", "{}"),
            (
                [thought, preamble, answer].concat(),
                "They ask. So what?",
                "Let me look.\n\nA dinner.",
            ),
            (
                [thought, preamble, call].concat(),
                "They ask. So what?\n\n{\"at\": 1}",
                "Let me look.",
            ),
            ([thought, other].concat(), "They ask. So what?\n\n{}", ""),
            (
                "to=functions.look<|channel|>commentary<|message|>{}<|call|>".to_owned(),
                "{}",
                "",
            ),
            ("A dinner.<|return|>".to_owned(), "", "A dinner."),
            // Cut in the middle.
            ("<|channel|>analysis<|message|>They".to_owned(), "They", ""),
            ("<|channel|>analysis<|mess".to_owned(), "", ""),
            (
                [thought, "<|start|>assistant<|channel|>fin"].concat(),
                "They ask. So what?",
                "",
            ),
            ([thought, "<|start|>assistant"].concat(), "They ask. So what?", ""),
            (
                [thought, &answer[..answer.len() - 5]].concat(),
                "They ask. So what?",
                "A di",
            ),
        ] {
            let whole = read(&tokenizer, &thinking, &text);
            assert_eq!(
                (whole.reasoning.as_str(), whole.prose.as_str()),
                (reasoning, prose),
                "{ends}: {text}"
            );
            assert_eq!(whole.followed, prose, "{text}");
        }
    }
}

#[test]
fn marks_around_an_answer_are_no_part_of_it() {
    let names = ["<|open|>", "<|close|>", "<|sep|>", "<|end_of_msg|>"];
    let tokenizer = tokenizer(&names, 0);
    let kimi = Thinking::named(&tokenizer, "<|open|>think<|sep|>", "<|close|>think<|sep|>");
    assert_eq!(kimi.family, "kimi-k3");
    let mut granite = Thinking::named(&tokenizer, "<think>", "</think>");
    granite.around = ["<response>", "</response>"].map(str::to_owned);
    for (thinking, text, reasoning, prose) in [
        (
            &kimi,
            "<|open|>think<|sep|>Well.<|close|>think<|sep|><|open|>response<|sep|>A dinner.<|close|>response<|sep|>",
            "Well.",
            "A dinner.",
        ),
        (
            &kimi,
            "<|open|>response<|sep|>A dinner.<|close|>response<|sep|>",
            "",
            "A dinner.",
        ),
        (
            &kimi,
            "<|open|>think<|sep|>Well.<|close|>think<|sep|><|open|>response<|sep|>A din",
            "Well.",
            "A din",
        ),
        (&kimi, "<|open|>think<|sep|>Well.<|close|>think", "Well.", ""),
        (&kimi, "<|open|>response<|sep|>A dinner.<|close|>resp", "", "A dinner."),
        (
            &granite,
            "<think>Well.</think>\n<response>A <b>dinner</b>.</response>",
            "Well.",
            "A <b>dinner</b>.",
        ),
        (
            &granite,
            "<think>Well.</think><response>A dinner.</resp",
            "Well.",
            "A dinner.</resp",
        ),
        (
            &granite,
            "<think>Well.</think><result>A dinner.",
            "Well.",
            "<result>A dinner.",
        ),
        (&granite, "A dinner.", "", "A dinner."),
    ] {
        let whole = read(&tokenizer, thinking, text);
        assert_eq!(
            (whole.reasoning.as_str(), whole.prose.as_str()),
            (reasoning, prose),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn any_row_of_messages_can_be_read(parts in prop::collection::vec(
        prop::sample::select(vec![
            "<|start|>", "<|channel|>", "<|message|>", "<|end|>", "<|constrain|>", "<|call|>", "analysis", "final", "commentary", " to=x",
            "assistant", " a b", "\n",
        ]), 0..24,
    )) {
        let tokenizer = &*TOKENIZER;
        let thinking = Arc::new(Thinking::named(tokenizer, OPEN, CLOSE));
        let mut phases = Phases::after(Some(Arc::clone(&thinking)), None, Opening::Free);
        let mut positions = 0;
        let (mut counted, mut undecided) = (0, 0);
        for token in tokenizer.encode(&parts.concat()).unwrap() {
            if tokenizer.ends().contains(&token) && !phases.is_mark(token) {
                break;
            }
            let step = phases.take(token, tokenizer);
            positions += 1;
            if step.phase == Phase::Undecided {
                undecided += 1;
            } else {
                prop_assert_eq!(step.decided, undecided);
                counted += 1 + step.decided;
                undecided = 0;
            }
            for text in [&step.reasoning, &step.prose] {
                let text = String::from_utf8_lossy(text);
                prop_assert!(channels::MARKS.iter().all(|mark| !text.contains(mark)), "{text}");
            }
        }
        prop_assert_eq!(counted + undecided, positions);
    }
}

static TOKENIZER: std::sync::LazyLock<Tokenizer> = std::sync::LazyLock::new(|| harmony(2));
