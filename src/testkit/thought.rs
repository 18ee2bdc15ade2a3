use std::collections::VecDeque;

use crate::vocabulary::{ChatMessage, Role, TokenId, Tokenizer, VocabularyError};

/// What the model writes before each of its answers to a chat, to stand in for a model that thinks. The model itself never reads it,
/// so its answers are those that it gives without.
pub struct Thought {
    /// The end of every chat's prompt, where the answer begins.
    head: Vec<TokenId>,
    /// All that is written, with what the prompt itself has of it.
    said: Vec<TokenId>,
}

/// How an answer goes on.
pub struct Thoughtful {
    /// What the model reads.
    pub prompt: Vec<TokenId>,
    /// What comes before its next token.
    pub script: VecDeque<TokenId>,
}

impl Thought {
    /// `text`, written by a model with this tokenizer.
    ///
    /// # Errors
    /// A [`VocabularyError`] when its chat template or tokenizer gives up.
    pub fn new(tokenizer: &Tokenizer, text: &str) -> Result<Self, VocabularyError> {
        let prompt = |question: &str| tokenizer.chat_prompt(&[ChatMessage::new(Role::User, question)]);
        let (one, other) = (prompt("One?")?, prompt("Another!")?);
        let same = one.iter().rev().zip(other.iter().rev());
        let same = same.take_while(|(left, right)| left == right).count();
        let mut head = one.get(one.len() - same..).unwrap_or_default().to_vec();
        let said = tokenizer.encode(text)?;
        // Some templates begin the thought themselves.
        let begun = (0..=said.len())
            .rev()
            .find(|length| head.ends_with(said.get(..*length).unwrap_or_default()));
        head.truncate(head.len() - begun.unwrap_or(0));
        Ok(Self { head, said })
    }

    /// How the answer after `prompt`, which may have some of it already, goes on.
    pub fn after(&self, prompt: &[TokenId]) -> Thoughtful {
        let starts = prompt
            .windows(self.head.len().max(1))
            .rposition(|window| window == self.head);
        let Some(starts) = starts else {
            return Thoughtful::none(prompt);
        };
        let (before, answer) = prompt.split_at(starts + self.head.len());
        if let Some(script) = self.said.strip_prefix(answer) {
            return Thoughtful {
                prompt: before.to_vec(),
                script: script.iter().copied().collect(),
            };
        }
        match answer.strip_prefix(self.said.as_slice()) {
            Some(rest) => Thoughtful::none(&[before, rest].concat()),
            None => Thoughtful::none(prompt),
        }
    }
}

impl Thoughtful {
    /// Without a thought.
    pub fn none(prompt: &[TokenId]) -> Self {
        Self {
            prompt: prompt.to_vec(),
            script: VecDeque::new(),
        }
    }
}
