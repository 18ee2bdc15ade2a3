use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::spelling::{Logits, Projected, Spelling};
use super::window::Window;
use crate::local::{BranchPair, LocalError, PairLogits};
use crate::steering::{Delta, NotANumber};
use crate::vocabulary::{Alignment, AlignmentKind, TokenId};

/// The small model's two branches, spoken to in the upstream's tokens.
///
/// They are fed what was picked, and beyond it what is expected to be picked: the upstream's draft, in the small model's own
/// tokens. Logits that came for an expected token serve when it is picked indeed. Where another one is, the branches go back.
pub struct Branches {
    pair: Box<dyn BranchPair>,
    /// Tokens after the prompts that the pair holds: first those of the answer, then those that are expected.
    fed: Vec<TokenId>,
    /// How many of them are the answer's.
    settled: usize,
    /// Tokens of the answer that come after them and that the pair has not got.
    due: Vec<TokenId>,
    /// Picked tokens that have not been passed on.
    unfed: Vec<TokenId>,
    /// What the pair said after the first `said_from`, `said_from + 1`, … tokens of the answer.
    said: VecDeque<PairLogits>,
    said_from: usize,
    /// What it was last asked, until it has answered.
    asked: Option<Question>,
    /// What it says about the upstream's next token.
    current: Option<Arc<ProjectedPair>>,
    /// Tokens that each branch can take, those it holds already included.
    room: usize,
    /// `None` where both speak the same tokens.
    aligned: Option<Aligned>,
}

/// Logits that are on their way.
struct Question {
    /// The number of tokens of the answer before the first of them.
    from: usize,
    /// How many positions.
    positions: usize,
    /// How many of them have come.
    come: usize,
    /// Whether nothing else is computed with them, so that the time they take can be learnt from.
    is_pure: bool,
    since: Instant,
}

/// What is needed to pass on tokens of another vocabulary.
struct Aligned {
    spelling: Spelling,
    /// The last logits of the private and of the public branch, and after how many tokens of the answer they came.
    logits: Option<(usize, Arc<[Logits; 2]>)>,
    /// The most tokens that the unfed ones may come to.
    cost: usize,
}

/// What both branches say about the upstream's next token.
pub enum ProjectedPair {
    /// The logits of the private and of the public branch, where both speak the same tokens.
    Same([Vec<f32>; 2]),
    /// What they come to in the upstream's tokens.
    Other(Projected),
}

impl Branches {
    /// `pair` computes its prompts; each branch can take `room` more tokens. The answer is to a chat or to a bare text.
    pub fn new(pair: Box<dyn BranchPair>, alignment: &Arc<Alignment>, is_chat: bool, room: usize) -> Self {
        let aligned = (alignment.kind() != AlignmentKind::Identical).then(|| Aligned {
            spelling: Spelling::new(Arc::clone(alignment), is_chat),
            logits: None,
            cost: 0,
        });
        Self {
            pair,
            fed: Vec::new(),
            settled: 0,
            due: Vec::new(),
            unfed: Vec::new(),
            said: VecDeque::new(),
            said_from: 0,
            asked: None,
            current: None,
            room,
            aligned,
        }
    }

    /// Whether the branches have room for `tokens` and for one position after them.
    pub fn have_room_for(&self, tokens: &[TokenId]) -> bool {
        let unfed = match &self.aligned {
            None => self.unfed.len() + tokens.len(),
            Some(aligned) => aligned.cost + aligned.spelling.cost(tokens),
        };
        self.answer() + unfed < self.room
    }

    /// Notes a picked token, to be passed on when the branches are needed again.
    pub fn note(&mut self, token: TokenId) {
        if let Some(aligned) = &mut self.aligned {
            aligned.cost += aligned.spelling.cost(&[token]);
        }
        self.unfed.push(token);
        self.current = None;
    }

    /// Whether what the pair says about the next token has come or is on its way.
    pub fn are_asked(&self) -> bool {
        let place = self.answer();
        let has_come = place >= self.said_from && place < self.said_from + self.said.len();
        let is_coming = |asked: &Question| place >= asked.from && place < asked.from + asked.positions;
        self.unfed.is_empty() && (self.current.is_some() || has_come || self.asked.as_ref().is_some_and(is_coming))
    }

    /// The most positions worth asking for at once.
    pub fn max_block(&self) -> usize {
        self.pair.max_block()
    }

    /// Passes on the noted tokens and has the pair compute what it says after them, if it does not already; and after each of
    /// `expected` too, which may be picked next.
    pub fn ask(&mut self, expected: &[TokenId]) {
        self.pass_on();
        if self.are_asked() || self.is_pending() {
            return;
        }
        let mut expected = match &self.aligned {
            None => expected.to_vec(),
            Some(aligned) => aligned.spelling.expect(expected),
        };
        let place = self.answer();
        // What the small model spells may be more tokens than the upstream has drafted.
        expected.truncate(self.pair.max_block().saturating_sub(1));
        // Nothing is computed that could not be picked any more.
        expected.truncate(self.room.saturating_sub(place + 1));
        let is_first = place == 0;
        let due = std::mem::take(&mut self.due);
        self.fed.extend(&due);
        self.settled = self.fed.len();
        self.fed.extend(&expected);
        let positions = expected.len() + 1;
        let tokens: Vec<TokenId> = due.iter().chain(&expected).copied().collect();
        self.said.clear();
        self.said_from = place;
        self.asked = Some(Question {
            from: place,
            positions,
            come: 0,
            is_pure: !is_first && tokens.len() == positions,
            since: Instant::now(),
        });
        self.pair.extend(&tokens, positions);
    }

    /// Waits for what both say about the next token, and how long the engine computed since the last time. [`Self::ask`] must have
    /// come before. It can be given up and called again.
    ///
    /// # Errors
    /// A [`LocalError`] when an engine failed.
    pub async fn next(&mut self, window: &mut Window) -> Result<(Arc<ProjectedPair>, Duration), LocalError> {
        if let Some(current) = &self.current {
            return Ok((Arc::clone(current), Duration::ZERO));
        }
        let mut compute = Duration::ZERO;
        let place = self.answer();
        let is_pending = self.is_pending();
        while !is_pending && self.said.is_empty() && self.asked.is_some() {
            compute += self.hear(window).await?;
        }
        let current = match &mut self.aligned {
            Some(aligned) if is_pending => aligned.project()?,
            aligned => {
                let nothing = || LocalError::Engine("it has said nothing about this position".into());
                let PairLogits { public, private } = self.said.pop_front().ok_or_else(nothing)?;
                self.said_from += 1;
                match aligned {
                    None => ProjectedPair::Same([private, public]),
                    Some(aligned) => {
                        let logits = [Logits::new(private), Logits::new(public)];
                        aligned.logits = Some((place, Arc::new(logits)));
                        aligned.project()?
                    }
                }
            }
        };
        let current = Arc::new(current);
        self.current = Some(Arc::clone(&current));
        Ok((current, compute))
    }

    /// Waits for the next of what was asked, and returns how long the engine computed for it.
    async fn hear(&mut self, window: &mut Window) -> Result<Duration, LocalError> {
        let rows = self.pair.logits().await?;
        if let Some(asked) = &mut self.asked {
            self.said_from = asked.from + asked.come - self.said.len();
            // What comes in parts is heard when it is needed, which may be long after it came.
            let is_whole = rows.positions.len() >= asked.positions;
            asked.come += rows.positions.len();
            self.said.extend(rows.positions);
            if asked.come >= asked.positions {
                if asked.is_pure && is_whole {
                    window.checked(asked.positions, asked.since.elapsed());
                }
                self.asked = None;
            }
        }
        self.drop_passed();
        Ok(rows.compute)
    }

    /// Forgets what was said about positions that something was picked at.
    fn drop_passed(&mut self) {
        let place = self.answer();
        while self.said_from < place && self.said.pop_front().is_some() {
            self.said_from += 1;
        }
    }

    /// Tokens of the answer so far, in the pair's own vocabulary.
    fn answer(&self) -> usize {
        self.settled + self.due.len()
    }

    /// Whether bytes were written that are no token of the small model's yet, and what it said before them serves once more.
    fn is_pending(&self) -> bool {
        let place = self.answer();
        let logits = self.aligned.as_ref().and_then(|aligned| aligned.logits.as_ref());
        logits.is_some_and(|(after, _)| *after == place) && self.due.is_empty()
    }

    /// Turns the noted tokens into the pair's own, and goes back where it was fed something else.
    fn pass_on(&mut self) {
        if self.unfed.is_empty() {
            return;
        }
        let place = self.answer();
        let picked = std::mem::take(&mut self.unfed);
        let tokens = match &mut self.aligned {
            None => picked,
            Some(aligned) => aligned.follow(&picked, place),
        };
        for token in tokens {
            let expected = self.fed.get(self.settled).filter(|_| self.due.is_empty());
            if expected == Some(&token) {
                self.settled += 1;
            } else {
                self.go_back();
                self.due.push(token);
            }
        }
        if !self.due.is_empty() {
            self.said.clear();
            self.asked = None;
        }
        self.drop_passed();
    }

    /// Has the pair forget what was expected and did not come.
    fn go_back(&mut self) {
        if self.fed.len() > self.settled {
            self.fed.truncate(self.settled);
            self.pair.truncate(self.settled);
        }
    }
}

impl Aligned {
    /// What to feed for `picked`, the tokens that were written after `place` tokens of the small model's.
    fn follow(&mut self, picked: &[TokenId], place: usize) -> Vec<TokenId> {
        self.cost = 0;
        let logits = self.logits.as_ref().filter(|(after, _)| *after == place);
        let branches = logits.map(|(_, logits)| {
            let [private, public] = &**logits;
            [private, public]
        });
        self.spelling.follow(picked, branches)
    }

    fn project(&self) -> Result<ProjectedPair, LocalError> {
        let nothing = || LocalError::Engine("the branches have said nothing yet".into());
        let (_, logits) = self.logits.as_ref().ok_or_else(nothing)?;
        Ok(ProjectedPair::Other(self.spelling.project(logits)))
    }
}

impl ProjectedPair {
    /// Δ of the upstream's tokens.
    ///
    /// # Errors
    /// [`NotANumber`] when a branch gave no distribution.
    pub fn delta(&self, floor: f64) -> Result<Delta<'_>, NotANumber> {
        match self {
            Self::Same([private, public]) => Delta::new(private, public, floor),
            Self::Other(projected) => projected.delta(floor),
        }
    }
}
