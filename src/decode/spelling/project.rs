use std::cmp::Reverse;
use std::ops::Range;

use super::follow::Spelling;
use super::logits::{Logits, ProjectedLogits};
use crate::steering::log_sum_exp;
use crate::vocabulary::{AlignmentKind, TokenId, TokenMap};

impl Spelling {
    /// What both branches say about the upstream's next token, the private one first.
    pub fn project(&self, branches: [&Logits; 2]) -> [ProjectedLogits; 2] {
        if self.pending.is_empty() && self.upstream_pending.is_empty() {
            [0, 1].map(|branch| self.settled(branches[branch], branch))
        } else {
            self.unsettled(branches)
        }
    }

    /// Where no bytes are pending: a token gets the sum of the small model's tokens that the token map gives for it.
    fn settled(&self, logits: &Logits, branch: usize) -> ProjectedLogits {
        let open: f64 = self.longer.iter().map(|longer| longer.odds[branch].exp()).sum();
        let normaliser = logits.normaliser + open.ln_1p();
        let token_map = self.alignment.token_map();
        let logit = |id: u32| logits.logit(TokenId(id));
        let first = token_map.first().iter();
        let mut projected: Vec<f32> = first
            .map(|id| match *id {
                TokenMap::UNMAPPED => normaliser as f32,
                id => logit(id),
            })
            .collect();
        let mut together = Vec::new();
        for group in token_map.others().chunk_by(|left, right| left.0 == right.0) {
            if let Some(sum) = group.first().and_then(|(id, _)| projected.get_mut(*id as usize)) {
                together.clear();
                together.push(*sum);
                together.extend(group.iter().map(|(_, id)| logit(*id)));
                *sum = log_sum_exp(&together) as f32;
            }
        }
        for longer in &self.longer {
            if let Some(sum) = projected.get_mut(longer.next.index()) {
                let is_unmapped = token_map.of(longer.next).next().is_none();
                let known = if is_unmapped { f32::NEG_INFINITY } else { *sum };
                *sum = log_sum_exp(&[known, (logits.normaliser + longer.odds[branch]) as f32]) as f32;
            }
        }
        ProjectedLogits {
            logits: projected,
            normaliser,
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
