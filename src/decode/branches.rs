use std::sync::Arc;
use std::time::Duration;

use super::spelling::{Logits, ProjectedLogits, Spelling};
use crate::local::{BranchPair, LocalError, PairLogits};
use crate::steering::{Delta, NotANumber};
use crate::vocabulary::{Alignment, AlignmentKind, TokenId};

/// The small model's two branches, spoken to in the upstream's tokens.
pub struct Branches {
    pair: Box<dyn BranchPair>,
    /// Picked tokens that have not been passed on.
    unfed: Vec<TokenId>,
    /// Tokens that each branch can still take.
    room: usize,
    /// `None` where both speak the same tokens.
    aligned: Option<Aligned>,
}

/// What is needed to pass on tokens of another vocabulary.
struct Aligned {
    spelling: Spelling,
    /// The last logits of the private and of the public branch.
    logits: Option<[Logits; 2]>,
    /// The branches have been fed since then, so their next logits are new ones.
    fed: bool,
}

/// What both branches say about the upstream's next token.
pub struct ProjectedPair {
    private: ProjectedLogits,
    public: ProjectedLogits,
    /// Whether it was projected from another vocabulary.
    is_aligned: bool,
    /// How long the engines computed for it.
    pub compute: Duration,
}

impl Branches {
    /// `pair` computes its prompts' logits; each branch can take `room` more tokens. The answer is to a chat or to a bare text.
    pub fn new(pair: Box<dyn BranchPair>, alignment: &Arc<Alignment>, is_chat: bool, room: usize) -> Self {
        let aligned = (alignment.kind() != AlignmentKind::Identical).then(|| Aligned {
            spelling: Spelling::new(Arc::clone(alignment), is_chat),
            logits: None,
            fed: true,
        });
        Self {
            pair,
            unfed: Vec::new(),
            room,
            aligned,
        }
    }

    /// Whether the branches have room for `token` and for one position after it.
    pub fn have_room_for(&self, token: TokenId) -> bool {
        let written = [self.unfed.as_slice(), &[token]].concat();
        let cost = self
            .aligned
            .as_ref()
            .map_or(written.len(), |aligned| aligned.spelling.cost(&written));
        cost < self.room
    }

    /// Notes a picked token, to be passed on when the branches are needed again.
    pub fn note(&mut self, token: TokenId) {
        self.unfed.push(token);
    }

    /// Passes on the noted tokens. The engines start on the position after them at once.
    pub fn feed(&mut self) {
        if self.unfed.is_empty() {
            return;
        }
        let tokens = std::mem::take(&mut self.unfed);
        let tokens = match &mut self.aligned {
            None => tokens,
            Some(aligned) => aligned.follow(&tokens),
        };
        if !tokens.is_empty() {
            self.room = self.room.saturating_sub(tokens.len());
            self.pair.feed(&tokens);
        }
    }

    /// Waits for what both say about the next token.
    ///
    /// # Errors
    /// A [`LocalError`] when an engine failed.
    pub async fn logits(&mut self) -> Result<ProjectedPair, LocalError> {
        self.feed();
        let Some(aligned) = &mut self.aligned else {
            let PairLogits { public, private } = self.pair.logits().await?;
            let raw = |logits| ProjectedLogits {
                logits,
                normaliser: 0.0,
            };
            return Ok(ProjectedPair {
                compute: public.compute.max(private.compute),
                private: raw(private.logits),
                public: raw(public.logits),
                is_aligned: false,
            });
        };
        let mut compute = Duration::ZERO;
        if aligned.fed {
            let PairLogits { public, private } = self.pair.logits().await?;
            compute = public.compute.max(private.compute);
            aligned.logits = Some([Logits::new(private.logits), Logits::new(public.logits)]);
            aligned.fed = false;
        }
        let gone = || LocalError::Engine("the branches have said nothing yet".into());
        let [private, public] = aligned.logits.as_ref().ok_or_else(gone)?;
        let [private, public] = aligned.spelling.project([private, public]);
        Ok(ProjectedPair {
            private,
            public,
            is_aligned: true,
            compute,
        })
    }
}

impl Aligned {
    fn follow(&mut self, picked: &[TokenId]) -> Vec<TokenId> {
        let logits = self.logits.as_ref().filter(|_| !self.fed);
        let tokens = self
            .spelling
            .follow(picked, logits.map(|[private, public]| [private, public]));
        self.fed |= !tokens.is_empty();
        tokens
    }
}

impl ProjectedPair {
    /// Δ of the upstream's tokens.
    ///
    /// # Errors
    /// [`NotANumber`] when a branch gave no distribution.
    pub fn delta(&self, floor: f64) -> Result<Delta<'_>, NotANumber> {
        let (private, public) = (&self.private, &self.public);
        if self.is_aligned {
            let normalisers = (private.normaliser, public.normaliser);
            Delta::aligned(&private.logits, &public.logits, normalisers, floor)
        } else {
            Delta::new(&private.logits, &public.logits, floor)
        }
    }
}
