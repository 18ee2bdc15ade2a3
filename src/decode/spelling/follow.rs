use std::sync::Arc;

use super::logits::Logits;
use crate::steering::log_sum_exp;
use crate::vocabulary::{Alignment, AlignmentKind, Leads, TokenId};

/// Where the small model is in the answer, beside the upstream, and what it says about the upstream's next token.
///
/// The small model has been fed whole tokens of its own. Bytes that were written since are pending: they begin a token that is
/// not settled yet. A token of the upstream's gets the probability of the small model's tokens that begin with the pending
/// bytes and whose next bytes the upstream would write with that token first. So a text has the same probability however each
/// side cuts it into tokens. Nothing is computed twice: the logits before the unsettled token serve until it is settled.
pub struct Spelling {
    pub(super) alignment: Arc<Alignment>,
    /// Bytes that were written and that the small model has not been fed yet.
    pub(super) pending: Vec<u8>,
    /// Bytes that the upstream writes before the answer and the small model does not.
    pub(super) upstream_pending: Vec<u8>,
    /// Longer tokens that begin with the one the small model was fed.
    pub(super) longer: Vec<Longer>,
}

/// A token of the small model's that begins with the one it was fed, and is longer.
pub(super) struct Longer {
    /// The upstream's token that would come next.
    pub(super) next: TokenId,
    /// ln of its probability over that of the token it was fed, in the private and in the public branch.
    pub(super) odds: [f64; 2],
}

impl Spelling {
    /// At the beginning of an answer, to a chat or to a bare text.
    pub fn new(alignment: Arc<Alignment>, is_chat: bool) -> Self {
        let Leads { upstream, local } = if is_chat {
            alignment.leads().clone()
        } else {
            Leads::default()
        };
        Self {
            alignment,
            pending: local,
            upstream_pending: upstream,
            longer: Vec::new(),
        }
    }

    /// What to feed the small model after the upstream's tokens `picked` (at least one) were written; nothing while their bytes
    /// stay pending. `branches` are the private and the public branch's logits, if they are those before `picked`.
    pub fn follow(&mut self, picked: &[TokenId], branches: Option<[&Logits; 2]>) -> Vec<TokenId> {
        let written = self.written(picked);
        self.longer.clear();
        if let (AlignmentKind::Bytes, [token], Some(branches)) = (self.alignment.kind(), picked, branches) {
            let places = self.going_on(*token, &written);
            if !places.is_empty() {
                let settled = self.mass(self.alignment.local().lexicon().exactly(&written), branches);
                let open = self.mass(places.iter().copied(), branches);
                if open[0] + open[1] > settled[0] + settled[1] {
                    self.upstream_pending.clear();
                    self.pending = written;
                    return Vec::new();
                }
                self.longer = self.odds(&places, written.len(), settled, branches);
            }
        }
        self.upstream_pending.clear();
        self.pending.clear();
        self.alignment.local().split(&written)
    }

    /// How many tokens it would at most take to feed the small model everything after `picked`.
    pub fn cost(&self, picked: &[TokenId]) -> usize {
        self.alignment.local().split(&self.written(picked)).len()
    }

    /// How the small model would most likely be fed the upstream's tokens `expected`, if they were picked next: each by itself.
    pub fn expect(&self, expected: &[TokenId]) -> Vec<TokenId> {
        let (upstream, local) = (self.alignment.upstream(), self.alignment.local());
        let mut tokens = match expected.first() {
            Some(first) => local.split(&self.written(&[*first])),
            None => Vec::new(),
        };
        for token in expected.iter().skip(1) {
            tokens.extend(local.split(upstream.bytes().get(*token)));
        }
        tokens
    }

    /// The pending bytes and what `picked` adds to them.
    fn written(&self, picked: &[TokenId]) -> Vec<u8> {
        let bytes = self.alignment.upstream().bytes();
        let added: Vec<u8> = picked.iter().flat_map(|id| bytes.get(*id)).copied().collect();
        let said = added.strip_prefix(self.upstream_pending.as_slice()).unwrap_or(&added);
        [self.pending.as_slice(), said].concat()
    }

    /// Places of the small model's tokens that begin with `written` and go on, in a way in which the upstream would have written
    /// `token` first.
    fn going_on(&self, token: TokenId, written: &[u8]) -> Vec<usize> {
        let (upstream, local) = (self.alignment.upstream(), self.alignment.local());
        let lexicon = local.lexicon();
        let longer = |place: &usize| lexicon.bytes(*place).len() > written.len();
        if self.pending.is_empty() && self.upstream_pending.is_empty() {
            // The token map has the small model's tokens that begin as `token` does.
            let mapped = self.alignment.token_map().of(token);
            let bytes = mapped.map(|id| local.bytes().get(id));
            let places = bytes
                .filter(|bytes| bytes.starts_with(written))
                .flat_map(|bytes| lexicon.exactly(bytes));
            let mut places: Vec<usize> = places.filter(longer).collect();
            places.sort_unstable();
            places.dedup();
            return places;
        }
        let own = upstream.bytes().get(token);
        let places = lexicon.beginning_with(written).filter(longer);
        places
            .filter(|place| {
                let text = [own, &lexicon.bytes(*place)[written.len()..]].concat();
                let first = upstream.lexicon().longest_beginning(&text).next();
                first.is_some_and(|first| upstream.lexicon().bytes(first).len() == own.len())
            })
            .collect()
    }

    /// The probability of all tokens at `places`, in both branches.
    pub(super) fn mass(&self, places: impl Iterator<Item = usize> + Clone, branches: [&Logits; 2]) -> [f64; 2] {
        let lexicon = self.alignment.local().lexicon();
        branches.map(|branch| {
            let logits: Vec<f32> = places.clone().map(|place| branch.logit(lexicon.id(place))).collect();
            (log_sum_exp(&logits) - branch.normaliser()).exp()
        })
    }

    /// The probability of the token at `place`, in both branches.
    pub(super) fn probability(&self, place: usize, branches: [&Logits; 2]) -> [f64; 2] {
        let id = self.alignment.local().lexicon().id(place);
        branches.map(|logits| logits.logprob(id).exp())
    }

    /// The upstream's token that would come next if one of the tokens at `places` had been meant, and not the token that is its
    /// first `length` bytes.
    fn odds(&self, places: &[usize], length: usize, settled: [f64; 2], branches: [&Logits; 2]) -> Vec<Longer> {
        // What is as good as impossible would make their quotient infinite.
        if settled.iter().any(|mass| *mass < f64::MIN_POSITIVE) {
            return Vec::new();
        }
        let (upstream, lexicon) = (self.alignment.upstream().lexicon(), self.alignment.local().lexicon());
        let next = |place: usize| upstream.longest_beginning(&lexicon.bytes(place)[length..]);
        let each = places
            .iter()
            .flat_map(|place| next(*place).map(|next| (*place, upstream.id(next))));
        each.map(|(place, next)| Longer {
            next,
            odds: [0, 1].map(|branch: usize| branches[branch].logprob(lexicon.id(place)) - settled[branch].ln()),
        })
        .collect()
    }
}
