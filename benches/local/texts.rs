//! Contexts and questions of any length and number, in English.

use std::path::Path;

use serde::Deserialize;

#[derive(Deserialize)]
struct Item {
    question: String,
    context: String,
}

/// The evaluation prompts with long contexts.
pub struct Texts(Vec<Item>);

impl Texts {
    pub fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("training/eval/long_context.jsonl");
        let text = std::fs::read_to_string(path).unwrap();
        Self(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// `words` words. The texts of two numbers differ from the first words on, so that nothing of one helps with the other.
    pub fn context(&self, number: usize, words: usize) -> String {
        let items = self.0.iter().cycle().skip(number % self.0.len());
        let all = items.flat_map(|item| item.context.split_whitespace());
        let numbered = format!("Note {number}.");
        let chosen: Vec<&str> = numbered.split(' ').chain(all).take(words).collect();
        chosen.join(" ")
    }

    pub fn question(&self, number: usize) -> &str {
        &self.0[number % self.0.len()].question
    }
}
