//! llama.cpp's answers, as far as steering needs them.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use crate::upstream::lenient::nullable;
use crate::upstream::ranking::ranked;
use crate::upstream::reader::{Dialect, Read};
use crate::upstream::{Position, Problem};
use crate::vocabulary::TokenId;

/// An event of the stream, or the whole answer.
#[derive(Deserialize)]
pub struct Event {
    #[serde(default, deserialize_with = "nullable")]
    tokens: Vec<u32>,
    #[serde(default, deserialize_with = "nullable")]
    pub completion_probabilities: VecDeque<Entry>,
    #[serde(default, deserialize_with = "nullable")]
    stop: bool,
    /// Tokens sampled so far, withheld ones included.
    #[serde(default, deserialize_with = "nullable")]
    tokens_predicted: usize,
    /// Asked for with each event.
    timings: Option<Timings>,
}

#[derive(Deserialize)]
struct Timings {
    /// Tokens of the prompt that were computed, and not found in the slot's cache.
    #[serde(default, deserialize_with = "nullable")]
    prompt_n: usize,
}

#[derive(Deserialize)]
pub struct Entry {
    id: u32,
    #[serde(default, deserialize_with = "nullable")]
    top_logprobs: Vec<Likely>,
}

#[derive(Deserialize)]
pub struct Likely {
    id: u32,
    logprob: f64,
}

impl Entry {
    /// The list, as it came.
    pub fn candidates(&self) -> Vec<(TokenId, f64)> {
        let listed = self.top_logprobs.iter();
        listed.map(|likely| (TokenId(likely.id), likely.logprob)).collect()
    }
}

/// What an event says of the next position.
pub enum Listed {
    Position(Position),
    /// It was sampled, and its list is lost.
    Withheld,
}

pub struct Events {
    pub top_k: usize,
    /// Tokens whose events have been read.
    pub predicted: usize,
    /// How much of the prompt the server computed; set once it is known.
    pub computed: Arc<OnceLock<usize>>,
}

impl Dialect for Events {
    type Event = Event;
    type Item = Listed;

    fn read(&mut self, event: Event) -> Result<Read<Listed>, Problem> {
        let read = |items, finished| Ok(Read { items, finished });
        if let Some(timings) = &event.timings {
            self.computed.get_or_init(|| timings.prompt_n);
        }
        if event.stop {
            let withheld = event.tokens_predicted > self.predicted;
            return read(withheld.then_some(Listed::Withheld).into_iter().collect(), true);
        }
        if event.tokens.is_empty() && event.completion_probabilities.is_empty() {
            return read(Vec::new(), false);
        }
        if event.tokens_predicted <= self.predicted {
            return Err(Problem::Malformed(format!(
                "token {} of its stream came after token {}",
                event.tokens_predicted, self.predicted
            )));
        }
        // One event a token: where the count is further ahead, the tokens between were withheld, and so is everything this
        // stream says after them.
        let entry = event.completion_probabilities.front();
        let entry = entry.filter(|_| event.tokens_predicted == self.predicted + 1);
        let Some(entry) = entry else {
            return read(vec![Listed::Withheld], false);
        };
        self.predicted = event.tokens_predicted;
        let position = Position {
            draft: TokenId(entry.id),
            candidates: ranked(entry.candidates(), self.top_k)?,
        };
        read(vec![Listed::Position(position)], false)
    }
}

/// One of `/slots`.
#[derive(Deserialize)]
pub struct SlotState {
    /// Whether somebody's answer is computed in it.
    pub is_processing: bool,
}

/// `/apply-template`: a chat as text.
#[derive(Deserialize)]
pub struct Rendered {
    pub prompt: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(tokens: &[u32], predicted: usize, stop: bool) -> Event {
        let entry = |id: &u32| json!({"id": id, "token": "", "bytes": [], "logprob": -0.1, "top_logprobs": [{"id": id, "logprob": 0.0}]});
        let entries: Vec<_> = tokens.iter().map(entry).collect();
        let event = json!({"index": 0, "tokens": tokens, "stop": stop, "tokens_predicted": predicted,
            "completion_probabilities": entries});
        serde_json::from_value(event).unwrap()
    }

    fn read(events: Vec<Event>) -> Result<Vec<Option<u32>>, Problem> {
        let mut reader = Events {
            top_k: 1,
            predicted: 0,
            computed: Arc::default(),
        };
        let mut drafts = Vec::new();
        for event in events {
            drafts.extend(reader.read(event)?.items.into_iter().map(|listed| match listed {
                Listed::Position(position) => Some(position.draft.0),
                Listed::Withheld => None,
            }));
        }
        Ok(drafts)
    }

    #[test]
    fn tokens_that_are_missing_are_noticed_by_their_count() {
        // The recorded shape of a character in three tokens: one event, for the last of them, with a count of 3.
        assert_eq!(read(vec![event(&[254], 3, false)]).unwrap(), [None]);
        assert_eq!(
            read(vec![event(&[7], 1, false), event(&[9], 4, false)]).unwrap(),
            [Some(7), None]
        );
        // The limit was reached inside a character: only the final event comes.
        assert_eq!(
            read(vec![event(&[7], 1, false), event(&[], 2, true)]).unwrap(),
            [Some(7), None]
        );
        assert_eq!(
            read(vec![event(&[7], 1, false), event(&[], 1, true)]).unwrap(),
            [Some(7)]
        );
    }

    #[test]
    fn a_stream_that_goes_back_is_refused() {
        let error = read(vec![event(&[7], 1, false), event(&[8], 1, false)]).unwrap_err();
        assert!(error.to_string().contains("came after token 1"), "{error}");
    }
}
