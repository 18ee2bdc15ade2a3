use std::collections::HashSet;

use super::{Noise, Policy, Sampling, Scorer, Threshold, Uncertain};

/// A draw from the nucleus of the candidates, and the question whether the nucleus of the whole vocabulary gives another token.
///
/// In the order of the whole vocabulary, unlisted tokens may stand anywhere among the candidates. They can push a candidate out of
/// the nucleus, and they can draw one into it, because `top_p` is a share of a sum that they add to. Let w be the weights
/// `exp((score − best) / T)`, K the sum of those candidates' that `min_p` and `top_k` leave, and Y what all unlisted tokens weigh
/// at most. The pick of the candidates is that of the whole vocabulary if three things hold.
///
/// 1. **The pick is in the nucleus.** Only unlisted tokens that may score as much as the pick can push it out. Suppose that there
///    are n of them, that they weigh x together, and that the best score is then at most M. For `top_k`, the pick's rank and n
///    must stay below k. For `min_p`, the pick must weigh `min_p` of a token that scores M. For `top_p`, let b weigh what stands
///    before the pick among the candidates, and K′ those candidates that keep their place whatever the n tokens are. Before the
///    pick there is `b + x` then, and in all there is at least `K′ + x`. So the pick is in where `b + x < top_p · (K′ + x)`, and
///    that is hardest for the largest x.
/// 2. **No candidate beats it that was outside the nucleus.** Unlisted tokens only raise a rank and the best score, so what
///    `top_k` and `min_p` drop stays dropped. What `top_p` drops has b before it. It stays dropped where `b ≥ top_p · (K + Y)`,
///    because unlisted tokens add Y at most to the sum.
/// 3. **No unlisted token beats it.** Each of them scores too little even with its noise, or it is dropped as in 2: k candidates
///    score more, it weighs less than `min_p`, or the candidates that score more weigh `top_p · (K + Y)`.
///
/// Y is bounded as follows. Each unlisted token has at most p of probability, and all of them have at most R.
/// With q·p of probability a token weighs `q^(1/T)` of what it does with p. These shares of its full weight are at most 1 each.
/// Up to T = 1 they are at most q, so they sum to R/p at most. Above T = 1, the power mean inequality bounds the sum for v tokens
/// by `v^(1−1/T) · (R/p)^(1/T)`. So the unlisted tokens weigh together no more than so many of the heaviest do at full weight. A
/// repetition penalty multiplies scores, and such tokens are counted on top.
pub(super) struct Draw<'a> {
    scorer: Scorer<'a>,
    sampling: &'a Sampling,
    policy: &'a Policy,
    position: u64,
    noise: Noise,
    /// The weights of the candidates that `min_p` and `top_k` leave, best first.
    left: Vec<f64>,
    /// The rank of the pick.
    rank: usize,
}

/// By how much sums of weights may differ when they are added up in another order.
const ROUNDING: f64 = 1e-9;

impl<'a> Draw<'a> {
    /// From a policy that is the scorer's own. `None` where there is nothing to pick.
    pub fn new(scorer: Scorer<'a>, policy: &'a Policy, sampling: &'a Sampling, position: u64) -> Option<Self> {
        let pick = sampling.pick(policy, position)?;
        Some(Self {
            rank: policy.scored().iter().position(|scored| std::ptr::eq(scored, pick))?,
            left: sampling.left(policy),
            noise: Noise::new(sampling.seed, position, sampling.temperature),
            scorer,
            sampling,
            policy,
            position,
        })
    }

    /// The unlisted tokens that leave the pick open, each once and those that the request raised first. `at_most` is without
    /// noise. Where there are none, the pick is proved.
    pub fn uncertain(&self) -> Vec<Uncertain> {
        let ahead = self.at_least(self.score(self.rank));
        let mut found = if self.stays(&ahead) { Vec::new() } else { ahead };
        found.extend(self.winners());
        let mut seen = HashSet::new();
        found.retain(|token| seen.insert(token.index));
        let raised = self.scorer.adjustments.raised();
        found.sort_by_key(|token| !raised.contains(&token.index));
        found
    }

    /// Whether the pick is in the nucleus although the unlisted tokens `ahead` may score as much.
    fn stays(&self, ahead: &[Uncertain]) -> bool {
        let Some(own) = self.left.get(self.rank) else {
            return false;
        };
        let best = ahead.iter().map(|token| token.at_most).fold(self.score(0), f64::max);
        let least = self.sampling.min_p * self.weight(best) * (1.0 + ROUNDING);
        let ranks = match self.sampling.top_k {
            0 => usize::MAX,
            most => most.saturating_sub(ahead.len()),
        };
        let kept: f64 = self.left.iter().take(ranks).filter(|weight| **weight >= least).sum();
        let before: f64 = self.left.iter().take(self.rank).sum();
        let pushed = self.mass(ahead);
        let top_p = self.sampling.top_p;
        self.rank < ranks && *own >= least && before + pushed < top_p * (kept + pushed) * (1.0 - ROUNDING)
    }

    /// The unlisted tokens by which another token than the pick may win. These are the ones that may win themselves. Where a
    /// candidate alone may win, they are those that draw it into the nucleus.
    fn winners(&self) -> Vec<Uncertain> {
        let all = self.policy.scored();
        let noise = |index: usize| self.noise.of(index);
        let to_beat = self.score(self.rank) + all.get(self.rank).map_or(0.0, |pick| noise(pick.candidate.index));
        let unlisted = self.scorer.reaching(Threshold::new(self.noise.clone(), to_beat));
        let unlisted: Vec<Uncertain> = unlisted
            .map(|token| Uncertain {
                at_most: token.at_most - noise(token.index),
                ..token
            })
            .filter(|token| self.may_be_left(token.at_most))
            .collect();
        let outside = self.sampling.nucleus(self.policy)..self.left.len();
        let mut outside = outside.filter_map(|rank| Some((rank, all.get(rank)?)));
        let known = outside
            .find(|(_, scored)| scored.score + noise(scored.candidate.index) >= to_beat)
            .map(|(rank, _)| self.left.iter().take(rank).sum::<f64>());
        let before = unlisted.iter().map(|token| self.mass_above(token.at_most));
        let Some(before) = before.chain(known).reduce(f64::min) else {
            return Vec::new();
        };
        let total: f64 = self.left.iter().sum();
        let spare = before / self.sampling.top_p * (1.0 - ROUNDING) - total;
        match self.heavier_than(spare) {
            Some(heavy) if unlisted.is_empty() => heavy,
            Some(_) => unlisted,
            None => Vec::new(),
        }
    }

    /// Unlisted tokens that weigh much, unless it is proved that all of them together weigh no more than `spare`.
    fn heavier_than(&self, spare: f64) -> Option<Vec<Uncertain>> {
        let worth = self.worth();
        let light = spare / (2.0 * worth);
        let heavy = self.at_least(self.score(0) + self.sampling.temperature * light.ln());
        let rest = (worth - heavy.len() as f64).max(0.0) * light;
        let is_proved = self.mass(&heavy) + rest <= spare;
        (!is_proved).then_some(heavy)
    }

    /// How many unlisted tokens of full weight all of them come to at most.
    fn worth(&self) -> f64 {
        let candidates = self.scorer.candidates;
        let (tokens, temperature) = (self.scorer.selectable.len() as f64, self.sampling.temperature);
        let full = (candidates.unknown_mass().ln() - candidates.unknown_at_most()).exp();
        let shares = if temperature > 1.0 {
            tokens.powf(1.0 - 1.0 / temperature) * full.powf(1.0 / temperature)
        } else {
            full
        };
        (shares + self.scorer.adjustments.multiplied() as f64).min(tokens)
    }

    /// The most that these unlisted tokens weigh together.
    fn mass(&self, tokens: &[Uncertain]) -> f64 {
        let mut weights: Vec<f64> = tokens.iter().map(|token| self.weight(token.at_most)).collect();
        weights.sort_unstable_by(|left, right| right.total_cmp(left));
        weights.iter().take(self.worth().ceil() as usize).sum()
    }

    /// Whether `min_p` and `top_k` may leave an unlisted token of this score.
    fn may_be_left(&self, score: f64) -> bool {
        let unlikely = self.weight(score) < self.sampling.min_p * (1.0 - ROUNDING);
        let better = self.policy.scored().iter();
        let better = better.take_while(|scored| scored.score > score + ROUNDING).count();
        !unlikely && (self.sampling.top_k == 0 || better < self.sampling.top_k)
    }

    /// What the candidates weigh that score more, of those that are left.
    fn mass_above(&self, score: f64) -> f64 {
        let better = self.policy.scored().iter().zip(&self.left);
        let better = better.take_while(|(scored, _)| scored.score > score + ROUNDING);
        better.map(|(_, weight)| weight).sum()
    }

    /// Unlisted tokens that may have this score. Where it is no number, all of them.
    fn at_least(&self, score: f64) -> Vec<Uncertain> {
        let silent = Noise::new(self.sampling.seed, self.position, 0.0);
        let score = if score.is_nan() { f64::NEG_INFINITY } else { score };
        self.scorer.reaching(Threshold::new(silent, score)).collect()
    }

    fn score(&self, rank: usize) -> f64 {
        let scored = self.policy.scored().get(rank);
        scored.map_or(f64::NEG_INFINITY, |scored| scored.score)
    }

    fn weight(&self, score: f64) -> f64 {
        self.sampling.weight(score, self.score(0))
    }
}
