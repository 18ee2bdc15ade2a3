use std::collections::VecDeque;

use serde_json::Value;

use super::call::AnswerCall;
use super::stops::Stops;
use crate::decode::{Event, Finish, Listing, Phase};
use crate::vocabulary::{TokenBytes, TokenId};

/// A token, and how likely it was by the steered policy.
pub struct ListedToken {
    /// What it writes, which may be a part of a character.
    pub bytes: Vec<u8>,
    /// The logarithm of its probability.
    pub logprob: f64,
}

/// A token of the answer with what the steered policy thought of it.
pub struct AnswerToken {
    /// The one that was picked.
    pub picked: ListedToken,
    /// The likeliest ones there, likeliest first.
    pub best: Vec<ListedToken>,
    /// Characters of the answer before it.
    pub offset: usize,
}

impl AnswerToken {
    fn new(token: TokenId, listing: Listing, offset: usize, bytes: &TokenBytes) -> Self {
        let listed = |(token, logprob): (TokenId, f64)| ListedToken {
            bytes: bytes.get(token).to_vec(),
            logprob,
        };
        Self {
            picked: listed((token, listing.logprob)),
            best: listing.best.into_iter().map(listed).collect(),
            offset,
        }
    }
}

/// What can be sent after an event.
#[derive(Default)]
pub struct Piece {
    /// Whole characters, and nothing of a stop string.
    pub text: String,
    /// What the model has thought.
    pub reasoning: String,
    /// Tools that it calls.
    pub calls: Vec<AnswerCall>,
    /// The tokens whose text has been sent.
    pub tokens: Vec<AnswerToken>,
    /// How the token was picked that made it certain, where that was asked for.
    pub position: Option<Value>,
}

impl Piece {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        let said = [&self.text, &self.reasoning];
        said.iter().all(|text| text.is_empty())
            && self.calls.is_empty()
            && self.tokens.is_empty()
            && self.position.is_none()
    }
}

/// Turns the events of one session into what the client may see of them.
pub struct Pieces {
    stops: Stops,
    /// Which of them has ended the answer.
    stopped_at: Option<String>,
    /// Tokens whose text has not been sent, with where it ends, in bytes of the answer.
    waiting: VecDeque<(usize, AnswerToken)>,
    /// Tokens that may belong to the answer, or to a thought or a call.
    undecided: Vec<AnswerToken>,
    /// Calls that have come.
    calls: usize,
    /// Bytes and characters that have come, and bytes that have been sent.
    come: usize,
    characters: usize,
    sent: usize,
}

impl Pieces {
    /// Of an answer that ends at one of these texts.
    pub fn new(stop: Vec<String>) -> Self {
        Self {
            stops: Stops::new(stop),
            stopped_at: None,
            waiting: VecDeque::new(),
            undecided: Vec::new(),
            calls: 0,
            come: 0,
            characters: 0,
            sent: 0,
        }
    }

    /// The text that has ended the answer, if one of those that were named has.
    pub fn stopped_at(self) -> Option<String> {
        self.stopped_at
    }

    /// What `event` makes certain, and whether the answer ends with it. After a finish nothing more may come, although the session may not
    /// know it.
    pub fn take(&mut self, event: Event, bytes: &TokenBytes) -> (Piece, Option<Finish>) {
        let offset = self.characters;
        self.come += event.text.len();
        self.characters += event.text.chars().count();
        // The end of turn is no part of the answer.
        if let Some(listing) = event
            .picked
            .listing
            .filter(|_| !bytes.get(event.picked.token).is_empty())
        {
            let token = event.picked.token;
            self.undecided.push(AnswerToken::new(token, listing, offset, bytes));
        }
        match event.phase {
            Phase::Undecided if event.finish.is_none() => {}
            // Log-probabilities are those of the answer.
            Phase::Reasoning | Phase::Call => self.undecided.clear(),
            // What was undecided to the end has come as the answer.
            Phase::Undecided | Phase::Prose => {
                let tokens = self.undecided.drain(..);
                self.waiting.extend(tokens.map(|token| (self.come, token)));
            }
        }
        let first = self.calls;
        self.calls += event.calls.len();
        // A call parts the text before it from the text after it: no stop reaches across.
        let mut text = if event.calls.is_empty() {
            String::new()
        } else {
            self.stops.finish()
        };
        let (more, stopped) = self.stops.push(&event.text);
        text.push_str(&more);
        let mut finish = event.finish;
        if stopped.is_some() {
            // Stops are for text: whoever has been called is called.
            let has_called = self.calls > 0;
            finish = Some(if has_called { Finish::Calls } else { Finish::Stop });
            self.stopped_at = stopped.filter(|_| !has_called);
        } else if finish.is_some() {
            text.push_str(&self.stops.finish());
        }
        self.sent += text.len();
        let ready = self.waiting.iter().take_while(|(end, _)| *end <= self.sent).count();
        let calls = event.calls.into_iter().enumerate();
        let piece = Piece {
            text,
            reasoning: event.reasoning,
            calls: calls
                .map(|(number, call)| AnswerCall::new(first + number, call))
                .collect(),
            tokens: self.waiting.drain(..ready).map(|(_, token)| token).collect(),
            position: None,
        };
        (piece, finish)
    }
}
