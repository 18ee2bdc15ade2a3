use std::sync::OnceLock;

use super::{Projection, log_sum_exp};

/// The logits are no distribution: every entry is −∞, or one is NaN or +∞.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the logits are not finite")]
pub struct NotANumber;

/// Δ for any token of the vocabulary, from the logits of the two branches.
///
/// All values are given up to a constant of the position, which cancels wherever scores are compared; only
/// [`Self::zero`] is known to mean "no pull".
pub struct Delta<'a> {
    private: &'a [f32],
    public: &'a [f32],
    /// Whose tokens are asked for, where they are not the branches' own.
    projection: Option<&'a dyn Projection>,
    floor: f64,
    /// ln Σ exp of the private and the public logits; 0 without a floor, which alone needs them.
    normalisers: (f64, f64),
    zero: OnceLock<f64>,
}

impl<'a> Delta<'a> {
    /// `private` and `public` are raw logits of shape `[vocabulary]`; `floor` is ε in
    /// `Δ = ln(p_private + ε) − ln(p_public + ε)`, 0 for the paper's plain difference.
    ///
    /// # Errors
    /// [`NotANumber`] when either branch is no distribution.
    pub fn new(private: &'a [f32], public: &'a [f32], floor: f64) -> Result<Self, NotANumber> {
        if !(is_distribution(private) && is_distribution(public)) {
            return Err(NotANumber);
        }
        let normalisers = if floor > 0.0 {
            (log_sum_exp(private), log_sum_exp(public))
        } else {
            (0.0, 0.0)
        };
        Ok(Self {
            private,
            public,
            projection: None,
            floor,
            normalisers,
            zero: OnceLock::new(),
        })
    }

    /// As [`Self::new`], from logits that have the constants `normalisers` (ln of what a branch's would sum to).
    ///
    /// # Errors
    /// [`NotANumber`] when either side is no distribution.
    pub fn normalised(
        private: &'a [f32],
        public: &'a [f32],
        normalisers: (f64, f64),
        floor: f64,
    ) -> Result<Self, NotANumber> {
        let finite = normalisers.0.is_finite() && normalisers.1.is_finite();
        if !(finite && is_distribution(private) && is_distribution(public)) {
            return Err(NotANumber);
        }
        let has_floor = floor > 0.0;
        Ok(Self {
            private,
            public,
            projection: None,
            floor,
            normalisers: if has_floor { normalisers } else { (0.0, 0.0) },
            zero: OnceLock::from(if has_floor { 0.0 } else { normalisers.0 - normalisers.1 }),
        })
    }

    /// Δ of the tokens of another vocabulary, from the branches' own logits and what these say about those tokens.
    ///
    /// # Errors
    /// [`NotANumber`] when either branch is no distribution.
    pub fn projected(
        private: &'a [f32],
        public: &'a [f32],
        projection: &'a dyn Projection,
        floor: f64,
    ) -> Result<Self, NotANumber> {
        if !(is_distribution(private) && is_distribution(public)) {
            return Err(NotANumber);
        }
        let has_floor = floor > 0.0;
        Ok(Self {
            private,
            public,
            projection: Some(projection),
            floor,
            normalisers: if has_floor {
                projection.normalisers()
            } else {
                (0.0, 0.0)
            },
            zero: OnceLock::new(),
        })
    }

    /// No pull anywhere: what is left of steering when the branches are not asked.
    pub fn none() -> Self {
        Self {
            private: &[],
            public: &[],
            projection: None,
            floor: 0.0,
            normalisers: (0.0, 0.0),
            zero: OnceLock::from(0.0),
        }
    }

    /// Δ of the token at `index`, in nats; [`Self::zero`] for a token the branches do not know or both hold impossible.
    #[inline]
    pub fn of(&self, index: usize) -> f64 {
        let Some([private, public]) = self.logits(index) else {
            return self.zero();
        };
        if private == f32::NEG_INFINITY && public == f32::NEG_INFINITY {
            return self.zero();
        }
        let private = f64::from(private) - self.normalisers.0;
        let public = f64::from(public) - self.normalisers.1;
        if self.floor > 0.0 {
            (private.exp() + self.floor).ln() - (public.exp() + self.floor).ln()
        } else {
            private - public
        }
    }

    /// An upper bound of `strength · Δ` that costs no logarithm: the floor only ever brings Δ closer to 0.
    #[inline]
    pub fn pull_at_most(&self, index: usize, strength: f64) -> f64 {
        match (self.private.get(index), self.public.get(index)) {
            (Some(private), Some(public)) if self.floor > 0.0 && self.projection.is_none() => {
                let free = f64::from(*private) - f64::from(*public) - (self.normalisers.0 - self.normalisers.1);
                // NaN (both −∞) becomes 0, which is Δ there.
                (strength * free).max(0.0)
            }
            _ => strength * self.of(index),
        }
    }

    /// The public branch's logit of the token at `index`: ln of its probability up to a constant of the position. `None` for a token the
    /// branches do not know.
    pub fn public(&self, index: usize) -> Option<f32> {
        self.logits(index).map(|[_, public]| public)
    }

    /// What the private and the public branch give the token.
    #[inline]
    fn logits(&self, index: usize) -> Option<[f32; 2]> {
        match self.projection {
            None => Some([*self.private.get(index)?, *self.public.get(index)?]),
            Some(projection) => projection.logits(index),
        }
    }

    /// The value that neither favours nor hinders a token: equal probabilities in both branches.
    pub fn zero(&self) -> f64 {
        *self.zero.get_or_init(|| {
            if self.floor > 0.0 {
                return 0.0;
            }
            let (private, public) = match self.projection {
                None => (log_sum_exp(self.private), log_sum_exp(self.public)),
                Some(projection) => projection.normalisers(),
            };
            private - public
        })
    }

    /// Indexes below [`Self::vocabulary`] where `strength · Δ` may reach `least`, in rising order: all of those, and few
    /// others. The branches' logits are read once, in blocks a compiler can vectorise.
    ///
    /// For the tokens of another vocabulary, those are the ones that have a share of a branches' token that reaches it.
    pub fn reaching(&self, strength: f64, least: f64) -> Box<dyn Iterator<Item = usize> + 'a> {
        // Without the floor the pull is the larger one wherever it is above 0, see `pull_at_most`.
        let offset = strength * (self.normalisers.1 - self.normalisers.0);
        let everything = self.floor > 0.0 && least <= 0.0;
        // f32 holds the difference of two logits to about 1e-5. Only an infinite pull reaches infinity.
        let slack = 1e-4 * (1.0 + strength.abs()) + (1e-5 * (least - offset).abs()).min(f64::MAX);
        let own_least = if everything {
            f32::NEG_INFINITY
        } else {
            (least - offset - slack) as f32
        };
        let mut own = pulled(self.private, self.public, strength as f32, own_least).peekable();
        let Some(projection) = self.projection else {
            return Box::new(own);
        };
        // Where the branches know nothing, Δ is `zero`. That lies between the least and the largest Δ, too.
        let mut found = projection.unbounded();
        let is_any = !found.is_empty() || own.peek().is_some();
        if is_any && strength * self.zero() >= least - slack {
            return Box::new(0..projection.size());
        }
        for index in own {
            projection.add_with_share_of(index, &mut found);
        }
        found.sort_unstable();
        found.dedup();
        Box::new(found.into_iter())
    }

    /// Whether it is for the tokens of another vocabulary, and has to be put together for each.
    pub(super) fn is_projected(&self) -> bool {
        self.projection.is_some()
    }

    /// Number of tokens the branches know something of.
    pub fn vocabulary(&self) -> usize {
        match self.projection {
            None => self.private.len().min(self.public.len()),
            Some(projection) => projection.size(),
        }
    }
}

/// Indexes where `strength · (private − public)` reaches `least`, in rising order.
fn pulled<'a>(
    private: &'a [f32],
    public: &'a [f32],
    strength: f32,
    least: f32,
) -> impl Iterator<Item = usize> + use<'a> {
    let reaches = move |private: &f32, public: &f32| {
        let pull = strength * (private - public);
        // NaN (both −∞) is included: the caller looks at the token itself.
        (pull >= least) | pull.is_nan()
    };
    let blocks = private.chunks(BLOCK).zip(public.chunks(BLOCK)).enumerate();
    blocks
        .filter(move |(_, (private, public))| {
            let pairs = private.iter().zip(public.iter());
            pairs.fold(false, |any, (private, public)| any | reaches(private, public))
        })
        .flat_map(move |(block, (private, public))| {
            let pairs = private.iter().zip(public).enumerate();
            pairs
                .filter(move |(_, (private, public))| reaches(private, public))
                .map(move |(index, _)| block * BLOCK + index)
        })
}

/// Entries a vectorised pass looks at before it decides anything.
const BLOCK: usize = 256;

/// Neither NaN nor +∞ anywhere, and not −∞ everywhere.
fn is_distribution(logits: &[f32]) -> bool {
    let broken = logits.chunks(BLOCK).any(|block| {
        let each = block.iter();
        each.fold(false, |any, logit| any | logit.is_nan() | (*logit == f32::INFINITY))
    });
    !broken && logits.iter().any(|logit| *logit > f32::NEG_INFINITY)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_floor_bounds_delta() {
        let private = [40.0, 0.0];
        let public = [0.0, 40.0];
        let bound = (1.0_f64 + 1e-4).ln() - 1e-4_f64.ln();
        let delta = Delta::new(&private, &public, 1e-4).unwrap();
        assert!((delta.of(0) - bound).abs() < 1e-6);
        assert!((delta.of(1) + bound).abs() < 1e-6);
        assert_eq!(delta.of(2), 0.0);
    }

    #[test]
    fn what_is_no_distribution_is_refused() {
        let fine = [0.0, 1.0];
        assert_eq!(Delta::new(&[f32::NAN, 1.0], &fine, 0.0).err(), Some(NotANumber));
        assert_eq!(Delta::new(&fine, &[f32::NEG_INFINITY; 2], 0.0).err(), Some(NotANumber));
        assert_eq!(Delta::new(&[f32::INFINITY, 1.0], &fine, 0.0).err(), Some(NotANumber));
        assert_eq!(Delta::new(&[], &fine, 0.0).err(), Some(NotANumber));
        assert_eq!(Delta::new(&fine, &[0.0, f32::NAN], 1e-4).err(), Some(NotANumber));
    }

    #[test]
    fn what_nobody_can_say_does_not_pull() {
        let private = [1.0, f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY];
        let public = [2.0, f32::NEG_INFINITY, f32::NEG_INFINITY, 0.0];
        for floor in [0.0, 1e-4] {
            let delta = Delta::new(&private, &public, floor).unwrap();
            assert_eq!(delta.of(1), delta.zero());
            assert_eq!(delta.of(4), delta.zero());
            assert!(delta.of(2) > delta.of(0) && delta.of(3) < delta.of(0));
        }
    }

    proptest! {
        #[test]
        fn the_cheap_bound_holds(
            private in prop::collection::vec(-30.0f32..30.0, 8),
            public in prop::collection::vec(-30.0f32..30.0, 8),
            floor in prop::sample::select(vec![0.0, 1e-6, 1e-2]),
            strength in -3.0f64..3.0,
        ) {
            let delta = Delta::new(&private, &public, floor).unwrap();
            for index in 0..9 {
                prop_assert!(strength * delta.of(index) <= delta.pull_at_most(index, strength) + 1e-9);
            }
        }

        #[test]
        fn nothing_that_reaches_is_missed(
            private in prop::collection::vec(-30.0f32..30.0, 700),
            public in prop::collection::vec(-30.0f32..30.0, 700),
            floor in prop::sample::select(vec![0.0, 1e-6, 1e-2]),
            strength in -3.0f64..3.0,
            least in -60.0f64..90.0,
        ) {
            let delta = Delta::new(&private, &public, floor).unwrap();
            let reaching: Vec<usize> = delta.reaching(strength, least).collect();
            prop_assert!(reaching.is_sorted());
            for index in 0..700 {
                let reaches = strength * delta.of(index) >= least;
                prop_assert!(!reaches || reaching.binary_search(&index).is_ok(), "{} is missing", index);
            }
        }

        #[test]
        fn equal_branches_never_steer(logits in prop::collection::vec(-20.0f32..20.0, 1..50), floor in 0.0f64..0.1) {
            let delta = Delta::new(&logits, &logits, floor).unwrap();
            for index in 0..logits.len() {
                prop_assert!(delta.of(index).abs() < 1e-12);
            }
        }

        #[test]
        fn a_constant_added_to_logits_changes_nothing(
            private in prop::collection::vec(-20.0f32..20.0, 8),
            public in prop::collection::vec(-20.0f32..20.0, 8),
            shift in -10.0f32..10.0,
            floor in prop::sample::select(vec![0.0, 1e-4]),
        ) {
            let shifted: Vec<f32> = private.iter().map(|logit| logit + shift).collect();
            let before = Delta::new(&private, &public, floor).unwrap();
            let after = Delta::new(&shifted, &public, floor).unwrap();
            for index in 0..8 {
                let pull = |delta: &Delta<'_>| delta.of(index) - delta.zero();
                prop_assert!((pull(&before) - pull(&after)).abs() < 1e-4);
            }
        }
    }
}
