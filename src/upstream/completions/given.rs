use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

/// What a server has said lately, each answer with its prompt. Only numbers are kept.
#[derive(Default)]
pub struct Given(Mutex<VecDeque<u64>>);

/// mlx-lm keeps 10 of them by default.
const MOST: usize = 1024;

impl Given {
    /// The server has gone on from `prompt` with `answer`. Some leave out a space that an answer begins with.
    pub fn remember(&self, prompt: &str, answer: &str) {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for space in ["", " "] {
            given.push_back(number(&[prompt, space, answer].concat()));
        }
        while given.len() > MOST {
            given.pop_front();
        }
    }

    /// Whether it has said all of this text.
    pub fn has(&self, text: &str) -> bool {
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.contains(&number(text))
    }
}

fn number(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_with_its_prompt_until_many_others_have_come() {
        let given = Given::default();
        given.remember("One", "two");
        assert!(given.has("Onetwo") && given.has("One two") && !given.has("One"));
        for number in 0..MOST {
            given.remember("One", &number.to_string());
        }
        assert!(!given.has("Onetwo"));
    }
}
