use std::collections::VecDeque;

use super::stops::Stops;
use crate::decode::{Event, Finish, Listing, Phase};
use crate::vocabulary::{TokenBytes, TokenId};

/// A token of the answer with what the steered policy thought of it.
#[derive(Clone)]
pub struct AnswerToken {
    pub token: TokenId,
    pub listing: Listing,
    /// Characters of the answer before it.
    pub offset: usize,
}

/// What can be sent after an event.
#[derive(Default)]
pub struct Piece {
    /// Whole characters, and nothing of a stop string.
    pub text: String,
    /// What the model has thought.
    pub reasoning: String,
    /// The tokens whose text has been sent.
    pub tokens: Vec<AnswerToken>,
    /// Set on the last.
    pub finish: Option<Finish>,
}

/// Turns the events of one session into what the client may see of them.
pub struct Pieces {
    stops: Stops,
    /// Tokens whose text has not been sent, with where it ends, in bytes of the answer.
    waiting: VecDeque<(usize, AnswerToken)>,
    /// Tokens that may belong to the answer or to a thought.
    undecided: Vec<AnswerToken>,
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
            waiting: VecDeque::new(),
            undecided: Vec::new(),
            come: 0,
            characters: 0,
            sent: 0,
        }
    }

    /// What `event` makes certain. After a finish nothing more may come, although the session may not know it.
    pub fn take(&mut self, event: Event, bytes: &TokenBytes) -> Piece {
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
            self.undecided.push(AnswerToken { token, listing, offset });
        }
        match event.phase {
            Phase::Undecided if event.finish.is_none() => {}
            // Log-probabilities are those of the answer.
            Phase::Reasoning => self.undecided.clear(),
            // What was undecided to the end has come as the answer.
            Phase::Undecided | Phase::Prose => {
                let tokens = self.undecided.drain(..);
                self.waiting.extend(tokens.map(|token| (self.come, token)));
            }
        }
        let (mut text, stopped) = self.stops.push(&event.text);
        let mut finish = event.finish;
        if stopped {
            finish = Some(Finish::Stop);
        } else if finish.is_some() {
            text.push_str(&self.stops.finish());
        }
        self.sent += text.len();
        let ready = self.waiting.iter().take_while(|(end, _)| *end <= self.sent).count();
        Piece {
            text,
            reasoning: event.reasoning,
            tokens: self.waiting.drain(..ready).map(|(_, token)| token).collect(),
            finish,
        }
    }
}
