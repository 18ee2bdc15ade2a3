use serde::Deserialize;

use super::TuneError;

/// Made-up people and what they ask, one JSON object a line. Nothing in it is about anybody.
pub const SHIPPED: &str = include_str!("../../config/tune.jsonl");

/// Tokens of an answer to one, where nobody says how many.
pub const TOKENS: u32 = 32;

/// A question, and a context that everybody may see.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Question {
    /// Of question and context, such as "en".
    #[serde(default)]
    pub language: String,
    /// What the person would say of himself or herself.
    pub context: String,
    /// What the person asks.
    pub question: String,
}

/// Reads a set of questions, one JSON object a line; blank lines are left out.
///
/// # Errors
/// [`TuneError::Set`] naming the line.
pub fn read(text: &str) -> Result<Vec<Question>, TuneError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let questions = lines.map(|(index, line)| {
        let wrong = |reason: String| TuneError::Set {
            line: index + 1,
            reason,
        };
        let question: Question = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        if question.context.trim().is_empty() || question.question.trim().is_empty() {
            return Err(wrong("question or context is empty".to_owned()));
        }
        Ok(question)
    });
    let questions = questions.collect::<Result<Vec<_>, _>>()?;
    if questions.is_empty() {
        return Err(TuneError::Set {
            line: 1,
            reason: "there is no question in it".to_owned(),
        });
    }
    Ok(questions)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_shipped_set_is_large_and_speaks_four_languages() {
        let questions = read(SHIPPED).unwrap();
        assert!(questions.len() >= 60);
        let mut languages = BTreeMap::new();
        for question in &questions {
            *languages.entry(question.language.as_str()).or_insert(0) += 1;
        }
        assert_eq!(languages.keys().copied().collect::<Vec<_>>(), ["de", "en", "es", "fr"]);
        assert!(languages.values().all(|count| *count >= 10), "{languages:?}");
        // The first few speak all of them, so that a small part of the set does, too.
        let first: std::collections::BTreeSet<_> = questions.iter().take(6).map(|one| &one.language).collect();
        assert_eq!(first.len(), 4);
        let mut contexts: Vec<_> = questions.iter().map(|question| &question.context).collect();
        contexts.sort_unstable();
        contexts.dedup();
        assert_eq!(contexts.len(), questions.len());
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line() {
        for (text, line) in [
            ("", 1),
            ("\n{\"question\": \"What?\"}", 2),
            ("{\"question\": \" \", \"context\": \"I am Ada.\"}", 1),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(&format!("line {line}")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(\\PC{0,40}\\n){0,4}") {
            let _either = read(&text);
        }
    }
}
