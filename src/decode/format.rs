use std::sync::Arc;

use tokio::task::{JoinHandle, spawn_blocking};

use crate::structure::{Allowed, Follower, Grammar, StructureError};
use crate::vocabulary::TokenId;

/// The grammar of an answer, in step with what was picked. What it allows next is computed on a thread of its own, because that may
/// take a while.
pub struct Format {
    state: State,
    /// Tokens that were taken and may turn out to be the beginning of a thought, which is no part of the answer.
    undecided: usize,
    /// The answer has begun for certain.
    has_begun: bool,
    /// Such tokens have come that the grammar does not allow, so a thought is all that they may become.
    must_think: bool,
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
            undecided: 0,
            has_begun: false,
            must_think: false,
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

    /// Goes on after tokens of the answer, of which those that were undecided are known already.
    ///
    /// # Errors
    /// [`StructureError::Stuck`] where they are not allowed.
    pub fn take(&mut self, tokens: &[TokenId]) -> Result<(), StructureError> {
        let known = std::mem::take(&mut self.undecided);
        self.has_begun = true;
        if self.must_think {
            return Err(StructureError::Stuck {
                reason: "the upstream began a thought and did not go on with it".to_owned(),
            });
        }
        let tokens = tokens.get(known..).unwrap_or_default().to_vec();
        if !tokens.is_empty() {
            self.go_on(move |follower| follower.take(&tokens));
        }
        Ok(())
    }

    /// Goes on after a token that may be the answer's or begin a thought.
    pub fn take_undecided(&mut self, token: TokenId) {
        if self.must_think || self.follows(&[token]) == 0 {
            self.must_think = true;
        } else {
            self.undecided += 1;
            self.go_on(move |follower| follower.take(&[token]));
        }
    }

    /// What was undecided belonged to a thought, or to a mark behind the answer.
    pub fn forget_undecided(&mut self) {
        self.must_think = false;
        if std::mem::take(&mut self.undecided) > 0 && !self.has_begun {
            self.go_on(Follower::reset);
        }
    }

    /// Whether a thought is all that may come.
    pub fn must_think(&self) -> bool {
        self.must_think
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
