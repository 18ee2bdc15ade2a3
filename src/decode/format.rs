use std::sync::Arc;

use tokio::task::{JoinHandle, spawn_blocking};

use crate::structure::{Allowed, Follower, Grammar, StructureError};
use crate::vocabulary::TokenId;

/// The grammar of an answer, in step with what was picked. What it allows next is computed on a thread of its own, because that may
/// take a while.
pub struct Format {
    state: State,
}

enum State {
    Computing(JoinHandle<Result<Known, StructureError>>),
    Known(Known),
    /// An error was handed out, and nothing comes after it.
    Broken,
}

/// A grammar, and what it allows next.
struct Known {
    /// It is large, and beside it stand small states.
    follower: Box<Follower>,
    allowed: Arc<Allowed>,
}

impl Format {
    /// At the beginning of an answer.
    pub fn new(grammar: &Arc<Grammar>) -> Self {
        let grammar = Arc::clone(grammar);
        Self {
            state: State::computing(move || Ok(Box::new(grammar.follower()))),
        }
    }

    /// The tokens that may come next in the answer. It can be given up and called again.
    ///
    /// # Errors
    /// A [`StructureError`] where the answer cannot go on; nothing comes after it.
    pub async fn allowed(&mut self) -> Result<Arc<Allowed>, StructureError> {
        if let State::Computing(computing) = &mut self.state {
            let known = computing.await.map_err(|_| broken_off()).flatten();
            self.state = match known {
                Ok(known) => State::Known(known),
                Err(error) => {
                    self.state = State::Broken;
                    return Err(error);
                }
            };
        }
        match &self.state {
            State::Known(known) => Ok(Arc::clone(&known.allowed)),
            _ => Err(broken_off()),
        }
    }

    /// How many of the drafted `tokens` may come next, one after the other. 0 while that is not known.
    pub fn follows(&mut self, tokens: &[TokenId]) -> usize {
        match &mut self.state {
            State::Known(known) => known.follower.follows(tokens),
            _ => 0,
        }
    }

    /// Whether `text` may come next. False while that is not known.
    pub fn follows_text(&mut self, text: &[u8]) -> bool {
        match &mut self.state {
            State::Known(known) => known.follower.follows_text(text),
            _ => false,
        }
    }

    /// Goes on after tokens of the answer, and after `text` of it that is in no token by itself. An error comes with what is allowed next.
    pub fn take(&mut self, tokens: &[TokenId], text: &[u8]) {
        if tokens.is_empty() && text.is_empty() {
            return;
        }
        let (tokens, text) = (tokens.to_vec(), text.to_vec());
        self.go_on(move |follower| {
            follower.take(&tokens)?;
            follower.take_text(&text)
        });
    }

    fn go_on(&mut self, work: impl FnOnce(&mut Follower) -> Result<(), StructureError> + Send + 'static) {
        if let State::Known(Known { mut follower, .. }) = std::mem::replace(&mut self.state, State::Broken) {
            self.state = State::computing(move || {
                work(&mut follower)?;
                Ok(follower)
            });
        }
    }
}

impl State {
    fn computing(ready: impl FnOnce() -> Result<Box<Follower>, StructureError> + Send + 'static) -> Self {
        Self::Computing(spawn_blocking(move || {
            let mut follower = ready()?;
            let allowed = Arc::new(follower.allowed()?);
            Ok(Known { follower, allowed })
        }))
    }
}

/// Only where the process is ending, or the work has panicked.
fn broken_off() -> StructureError {
    StructureError::Stuck {
        reason: "the work on it broke off".to_owned(),
    }
}
