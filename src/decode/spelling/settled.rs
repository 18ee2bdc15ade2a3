use std::sync::Arc;

use super::follow::Spelling;
use super::logits::Logits;
use crate::steering::{Delta, NotANumber, Projection, log_sum_exp};
use crate::vocabulary::{Alignment, TokenId};

/// What both branches say about the upstream's next token where no bytes are pending. A token gets the sum of the small model's
/// tokens that the token map gives for it, and of the longer ones that may have been meant before. It is summed when it is asked
/// for, because few tokens ever are.
pub struct Settled {
    alignment: Arc<Alignment>,
    branches: Arc<[Logits; 2]>,
    /// The tokens that may have been meant before, by the upstream's token that would come next: ln of the sum of both.
    longer: Vec<(TokenId, [f32; 2])>,
    /// What these have of probability, over that of the token that was fed.
    open: [f64; 2],
}

impl Settled {
    /// What the branches say where `spelling` has nothing pending.
    pub fn new(spelling: &Spelling, branches: Arc<[Logits; 2]>) -> Self {
        let odds = |branch: usize| spelling.longer.iter().map(move |longer| longer.odds[branch].exp());
        let mut settled = Self {
            alignment: Arc::clone(&spelling.alignment),
            branches,
            longer: Vec::new(),
            open: [odds(0).sum(), odds(1).sum()],
        };
        let mut longer: Vec<TokenId> = spelling.longer.iter().map(|longer| longer.next).collect();
        longer.sort_unstable();
        longer.dedup();
        settled.longer = longer
            .into_iter()
            .map(|next| (next, settled.with_longer(spelling, next)))
            .collect();
        settled
    }

    /// Δ of the upstream's tokens.
    ///
    /// # Errors
    /// [`NotANumber`] when a branch gave no distribution.
    pub fn delta(&self, floor: f64) -> Result<Delta<'_>, NotANumber> {
        let [private, public] = &*self.branches;
        Delta::projected(&private.raw, &public.raw, self, floor)
    }

    /// What the token map gives for `next`, and what longer tokens add to it.
    fn with_longer(&self, spelling: &Spelling, next: TokenId) -> [f32; 2] {
        let mut sums = self.mapped(next).unwrap_or([f32::NEG_INFINITY; 2]);
        for longer in spelling.longer.iter().filter(|longer| longer.next == next) {
            for ((sum, branch), odds) in sums.iter_mut().zip(&*self.branches).zip(longer.odds) {
                *sum = log_sum_exp(&[*sum, (branch.normaliser() + odds) as f32]) as f32;
            }
        }
        sums
    }

    /// What the token map gives for a token.
    fn mapped(&self, id: TokenId) -> Option<[f32; 2]> {
        let mut own = self.alignment.token_map().of(id);
        let [private, public] = &*self.branches;
        if own.len() <= 1 {
            return own.next().map(|own| [private.logit(own), public.logit(own)]);
        }
        let own: Vec<TokenId> = own.collect();
        Some([private, public].map(|branch| {
            let logits: Vec<f32> = own.iter().map(|own| branch.logit(*own)).collect();
            log_sum_exp(&logits) as f32
        }))
    }
}

impl Projection for Settled {
    fn size(&self) -> usize {
        self.alignment.upstream().selectable().len()
    }

    fn logits(&self, index: usize) -> Option<[f32; 2]> {
        let id = TokenId(u32::try_from(index).ok()?);
        match self.longer.binary_search_by_key(&id, |(next, _)| *next) {
            Ok(place) => self.longer.get(place).map(|(_, sums)| *sums),
            Err(_) => self.mapped(id),
        }
    }

    fn normalisers(&self) -> (f64, f64) {
        let [private, public] = &*self.branches;
        (
            private.normaliser() + self.open[0].ln_1p(),
            public.normaliser() + self.open[1].ln_1p(),
        )
    }

    fn unbounded(&self) -> Vec<usize> {
        self.longer.iter().map(|(next, _)| next.index()).collect()
    }

    fn add_with_share_of(&self, index: usize, tokens: &mut Vec<usize>) {
        let own = u32::try_from(index).map(TokenId);
        let mapped = own
            .into_iter()
            .flat_map(|own| self.alignment.token_map().mapped_to(own));
        tokens.extend(mapped.map(TokenId::index));
    }
}
