use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use super::follow::Spelling;
use super::logits::{Logits, ProjectedLogits};
use super::settled::Settled;
use crate::steering::{Delta, NotANumber};
use crate::vocabulary::{AlignmentKind, TokenId};

/// What both branches say about the upstream's next token.
pub enum Projected {
    /// Where no bytes are pending.
    Settled(Settled),
    /// Where some are: the private branch's, then the public one's.
    Pending([ProjectedLogits; 2]),
}

impl Projected {
    /// Δ of the upstream's tokens.
    ///
    /// # Errors
    /// [`NotANumber`] when a branch gave no distribution.
    pub fn delta(&self, floor: f64) -> Result<Delta<'_>, NotANumber> {
        match self {
            Self::Settled(settled) => settled.delta(floor),
            Self::Pending([private, public]) => {
                let normalisers = (private.normaliser, public.normaliser);
                Delta::normalised(&private.logits, &public.logits, normalisers, floor)
            }
        }
    }
}

impl Spelling {
    /// What both branches, the private one first, say about the upstream's next token.
    pub fn project(&self, branches: &Arc<[Logits; 2]>) -> Projected {
        if self.pending.is_empty() && self.upstream_pending.is_empty() {
            Projected::Settled(Settled::new(self, Arc::clone(branches)))
        } else {
            let [private, public] = &**branches;
            Projected::Pending(self.unsettled([private, public]))
        }
    }

    /// Where bytes are pending: the small model's tokens that begin with them, each for what it would go on with.
    fn unsettled(&self, branches: [&Logits; 2]) -> [ProjectedLogits; 2] {
        let (upstream, local) = (self.alignment.upstream().lexicon(), self.alignment.local().lexicon());
        let is_bytes = self.alignment.kind() == AlignmentKind::Bytes;
        let size = self.alignment.upstream().selectable().len();
        let within = local.beginning_with(&self.pending);
        let normalisers = self
            .mass(within.clone(), branches)
            .map(|total| if total > 0.0 { total.ln() } else { 0.0 });
        // Where the pending bytes are a whole token, all that is known of what comes after it is that it ends here.
        let ends_here = if is_bytes { local.exactly(&self.pending) } else { 0..0 };
        let unknown = if ends_here.is_empty() {
            normalisers
        } else {
            self.mass(ends_here, branches).map(f64::ln)
        };
        let mut logits = unknown.map(|logprob| vec![logprob as f32; size]);
        let mut know = |id: TokenId, logprobs: [f64; 2]| {
            for (logits, logprob) in logits.iter_mut().zip(logprobs) {
                logits[id.index()] = logprob as f32;
            }
        };
        let mut longer: Vec<usize> = within
            .filter(|place| local.bytes(*place).len() > self.pending.len())
            .collect();
        let goes_on = |place: usize| {
            [
                self.upstream_pending.as_slice(),
                &local.bytes(place)[self.pending.len()..],
            ]
            .concat()
        };
        if is_bytes {
            // Tokens of the upstream's that are longer than one of the small model's get its probability; the longest one counts,
            // so it comes last.
            longer.sort_by_key(|place| local.bytes(*place).len());
            for place in &longer {
                let text = goes_on(*place);
                let logprobs = self.probability(*place, branches).map(f64::ln);
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
            .map(|(id, place)| (id, self.probability(place, branches)))
            .collect();
        owned.sort_by_key(|(id, _)| Reverse(*id));
        for group in owned.chunk_by(|left, right| left.0 == right.0) {
            let mass = group
                .iter()
                .fold([0.0; 2], |sum, (_, mass)| [sum[0] + mass[0], sum[1] + mass[1]]);
            know(TokenId(group[0].0), mass.map(f64::ln));
        }
        let [private, public] = logits;
        [(private, normalisers[0]), (public, normalisers[1])]
            .map(|(logits, normaliser)| ProjectedLogits { logits, normaliser })
    }
}
