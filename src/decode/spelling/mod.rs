use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use crate::steering::log_sum_exp;
use crate::vocabulary::{Alignment, AlignmentKind, Leads, TokenId, TokenMap};

/// What one branch said about its next token.
pub struct Head {
    /// Raw logits, shape `[local vocabulary]`.
    logits: Vec<f32>,
    /// ln Σ exp of them.
    normaliser: f64,
}

impl Head {
    /// Of these logits.
    pub fn new(logits: Vec<f32>) -> Self {
        Self {
            normaliser: log_sum_exp(&logits),
            logits,
        }
    }

    /// A token's logit; −∞ for one that the model does not know.
    fn logit(&self, id: TokenId) -> f32 {
        self.logits.get(id.index()).copied().unwrap_or(f32::NEG_INFINITY)
    }

    /// ln of a token's probability.
    fn logprob(&self, id: TokenId) -> f64 {
        f64::from(self.logit(id)) - self.normaliser
    }
}

/// What one branch says about the upstream's next token.
pub struct View {
    /// ln of probabilities up to a constant, shape `[upstream vocabulary]`. Tokens about which nothing is known have that constant.
    pub logits: Vec<f32>,
    /// The constant.
    pub normaliser: f64,
}

/// Where the small model's spelling of the answer stands beside the upstream's, and what both say about the next token.
///
/// The small model has been fed whole tokens of its own; `rest` is what was written since, the beginning of a token that is not
/// settled yet. What a token of the upstream's gets is the probability of the small model's tokens that begin with `rest` and
/// go on in a way that the upstream would begin with that token. So a text is the same event on both sides however
/// each side cuts it, and nothing is computed twice: the logits before the unsettled token serve until it is settled.
pub struct Spelling {
    alignment: Arc<Alignment>,
    /// Written, and not a token yet on the small model's side.
    rest: Vec<u8>,
    /// What the upstream writes before the answer and the small model does not.
    ahead: Vec<u8>,
    /// Longer tokens than the one that was settled on.
    longer: Vec<Longer>,
}

/// A token of the small model's that began with the one it was fed, and would have gone on.
struct Longer {
    /// The upstream's token that would come next.
    next: TokenId,
    /// ln of its probability over that of the token it was fed, in the private and in the public branch.
    odds: [f64; 2],
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
            rest: local,
            ahead: upstream,
            longer: Vec::new(),
        }
    }

    /// What to feed the small model after `picked` was written, at least one token of the upstream's; nothing where it
    /// is to wait for more. `heads` are the private and the public branch's, if they are those of the token before `picked`.
    pub fn follow(&mut self, picked: &[TokenId], heads: Option<[&Head; 2]>) -> Vec<TokenId> {
        let written = self.written(picked);
        self.longer.clear();
        if let (AlignmentKind::Bytes, [token], Some(heads)) = (self.alignment.kind(), picked, heads) {
            let places = self.going_on(*token, &written);
            let settled = self.mass(self.alignment.local().lexicon().exactly(&written), heads);
            let open = self.mass(places.iter().copied(), heads);
            if open[0] + open[1] > settled[0] + settled[1] {
                self.ahead.clear();
                self.rest = written;
                return Vec::new();
            }
            self.longer = self.odds(&places, written.len(), settled, heads);
        }
        self.ahead.clear();
        self.rest.clear();
        self.alignment.local().split(&written)
    }

    /// How many tokens it would at most take to feed the small model everything after `picked`.
    pub fn cost(&self, picked: &[TokenId]) -> usize {
        self.alignment.local().split(&self.written(picked)).len()
    }

    /// What both branches say about the upstream's next token, the private one first.
    pub fn views(&self, heads: [&Head; 2]) -> [View; 2] {
        if self.rest.is_empty() && self.ahead.is_empty() {
            [0, 1].map(|branch| self.settled(heads[branch], branch))
        } else {
            self.unsettled(heads)
        }
    }

    /// `rest` and what `picked` adds to it.
    fn written(&self, picked: &[TokenId]) -> Vec<u8> {
        let bytes = self.alignment.upstream().bytes();
        let added: Vec<u8> = picked.iter().flat_map(|id| bytes.get(*id)).copied().collect();
        let said = added.strip_prefix(self.ahead.as_slice()).unwrap_or(&added);
        [self.rest.as_slice(), said].concat()
    }

    /// Places of the small model's tokens that begin with `written` and go on, in a way in which the upstream would have written
    /// `token` first.
    fn going_on(&self, token: TokenId, written: &[u8]) -> Vec<usize> {
        let (upstream, local) = (self.alignment.upstream(), self.alignment.local());
        let lexicon = local.lexicon();
        let longer = |place: &usize| lexicon.bytes(*place).len() > written.len();
        if self.rest.is_empty() && self.ahead.is_empty() {
            // Which tokens begin the text that `token` begins has been found already.
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
    fn mass(&self, places: impl Iterator<Item = usize> + Clone, heads: [&Head; 2]) -> [f64; 2] {
        let lexicon = self.alignment.local().lexicon();
        heads.map(|head| {
            let logits: Vec<f32> = places.clone().map(|place| head.logit(lexicon.id(place))).collect();
            (log_sum_exp(&logits) - head.normaliser).exp()
        })
    }

    /// The probability of the token at `place`, in both branches.
    fn probability(&self, place: usize, heads: [&Head; 2]) -> [f64; 2] {
        let id = self.alignment.local().lexicon().id(place);
        heads.map(|head| head.logprob(id).exp())
    }

    /// What would have come next, had the token at each of `places` been meant and not the one of its first `length` bytes.
    fn odds(&self, places: &[usize], length: usize, settled: [f64; 2], heads: [&Head; 2]) -> Vec<Longer> {
        if settled.contains(&0.0) {
            return Vec::new();
        }
        let (upstream, lexicon) = (self.alignment.upstream().lexicon(), self.alignment.local().lexicon());
        let next = |place: usize| upstream.longest_beginning(&lexicon.bytes(place)[length..]);
        let each = places
            .iter()
            .flat_map(|place| next(*place).map(|next| (*place, upstream.id(next))));
        each.map(|(place, next)| Longer {
            next,
            odds: [0, 1].map(|branch: usize| heads[branch].logprob(lexicon.id(place)) - settled[branch].ln()),
        })
        .collect()
    }

    /// Where nothing waits: the sum of all local tokens that a token is mapped to.
    fn settled(&self, head: &Head, branch: usize) -> View {
        let open: f64 = self.longer.iter().map(|longer| longer.odds[branch].exp()).sum();
        let normaliser = head.normaliser + open.ln_1p();
        let token_map = self.alignment.token_map();
        let logit = |id: u32| head.logit(TokenId(id));
        let first = token_map.first().iter();
        let mut logits: Vec<f32> = first
            .map(|id| match *id {
                TokenMap::UNMAPPED => normaliser as f32,
                id => logit(id),
            })
            .collect();
        let mut together = Vec::new();
        for group in token_map.others().chunk_by(|left, right| left.0 == right.0) {
            if let Some(slot) = group.first().and_then(|(id, _)| logits.get_mut(*id as usize)) {
                together.clear();
                together.push(*slot);
                together.extend(group.iter().map(|(_, id)| logit(*id)));
                *slot = log_sum_exp(&together) as f32;
            }
        }
        for longer in &self.longer {
            if let Some(slot) = logits.get_mut(longer.next.index()) {
                let is_unmapped = token_map.of(longer.next).next().is_none();
                let known = if is_unmapped { f32::NEG_INFINITY } else { *slot };
                *slot = log_sum_exp(&[known, (head.normaliser + longer.odds[branch]) as f32]) as f32;
            }
        }
        View { logits, normaliser }
    }

    /// Where something waits: the tokens that begin with it, each for what it would go on with.
    fn unsettled(&self, heads: [&Head; 2]) -> [View; 2] {
        let (upstream, local) = (self.alignment.upstream().lexicon(), self.alignment.local().lexicon());
        let is_bytes = self.alignment.kind() == AlignmentKind::Bytes;
        let size = self.alignment.upstream().selectable().len();
        let within = local.beginning_with(&self.rest);
        let normalisers = self
            .mass(within.clone(), heads)
            .map(|total| if total > 0.0 { total.ln() } else { 0.0 });
        // Whatever comes after a token that ends here: that it ends is all that is known.
        let ends_here = if is_bytes { local.exactly(&self.rest) } else { 0..0 };
        let unknown = if ends_here.is_empty() {
            normalisers
        } else {
            self.mass(ends_here, heads).map(f64::ln)
        };
        let mut logits = unknown.map(|logprob| vec![logprob as f32; size]);
        let mut know = |id: TokenId, logprobs: [f64; 2]| {
            for (logits, logprob) in logits.iter_mut().zip(logprobs) {
                logits[id.index()] = logprob as f32;
            }
        };
        let mut longer: Vec<usize> = within
            .filter(|place| local.bytes(*place).len() > self.rest.len())
            .collect();
        let goes_on = |place: usize| [self.ahead.as_slice(), &local.bytes(place)[self.rest.len()..]].concat();
        if is_bytes {
            // The upstream's tokens that reach further than one of the small model's: the longest of those tells most.
            longer.sort_by_key(|place| local.bytes(*place).len());
            for place in &longer {
                let text = goes_on(*place);
                let logprobs = self.probability(*place, heads).map(f64::ln);
                for further in upstream.beginning_with(&text) {
                    know(upstream.id(further), logprobs);
                }
            }
        }
        let owner = |place: usize| -> Range<usize> {
            let text = goes_on(place);
            if is_bytes {
                upstream.longest_beginning(&text)
            } else {
                upstream.exactly(&text)
            }
        };
        let mut owned: Vec<(u32, [f64; 2])> = longer
            .iter()
            .flat_map(|place| owner(*place).map(|owner| (upstream.id(owner).0, *place)))
            .map(|(id, place)| (id, self.probability(place, heads)))
            .collect();
        owned.sort_by_key(|(id, _)| Reverse(*id));
        for group in owned.chunk_by(|left, right| left.0 == right.0) {
            let mass = group
                .iter()
                .fold([0.0; 2], |sum, (_, mass)| [sum[0] + mass[0], sum[1] + mass[1]]);
            know(TokenId(group[0].0), mass.map(f64::ln));
        }
        let [private, public] = logits;
        [(private, normalisers[0]), (public, normalisers[1])].map(|(logits, normaliser)| View { logits, normaliser })
    }
}

#[cfg(test)]
mod tests;
