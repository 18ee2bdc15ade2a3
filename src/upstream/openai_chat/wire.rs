//! Chat completions with log-probabilities, as far as steering needs them.

use serde::Deserialize;

use crate::upstream::Problem;
use crate::upstream::lenient::{nullable, reason};
use crate::upstream::named::Entry;
use crate::upstream::reader::{Dialect, Read};

/// An event of the stream, or the whole answer.
#[derive(Deserialize)]
pub struct Event {
    #[serde(default, deserialize_with = "nullable")]
    pub choices: Vec<Choice>,
}

impl Event {
    /// The tokens of its choice, where it lists any.
    pub fn entries(self) -> Option<Vec<Entry>> {
        self.choices.into_iter().next()?.logprobs?.content
    }
}

#[derive(Deserialize)]
pub struct Choice {
    pub logprobs: Option<Logprobs>,
    #[serde(default, deserialize_with = "reason")]
    finish_reason: Option<String>,
    delta: Option<Delta>,
}

#[derive(Deserialize)]
pub struct Delta {
    content: Option<String>,
}

#[derive(Deserialize)]
pub struct Logprobs {
    pub content: Option<Vec<Entry>>,
}

/// What an event says of the next position.
pub enum Listed {
    /// What was sampled there, and its list.
    Entry(Entry),
    /// The answer has stopped of itself.
    Stopped,
}

/// Reads a stream of chat completions.
pub struct Events;

impl Dialect for Events {
    type Event = Event;
    type Item = Listed;

    fn read(&mut self, event: Event) -> Result<Read<Listed>, Problem> {
        let Some(choice) = event.choices.into_iter().next() else {
            let items = Vec::new();
            return Ok(Read { items, finished: false });
        };
        let listed = choice.logprobs.and_then(|logprobs| logprobs.content);
        let speaks = choice
            .delta
            .and_then(|delta| delta.content)
            .is_some_and(|content| !content.is_empty());
        let mut items: Vec<Listed> = listed.into_iter().flatten().map(Listed::Entry).collect();
        if items.is_empty() && speaks {
            return Err(Problem::NoLogprobs);
        }
        if choice.finish_reason.as_deref() == Some("stop") {
            items.push(Listed::Stopped);
        }
        Ok(Read {
            items,
            finished: choice.finish_reason.is_some(),
        })
    }
}
