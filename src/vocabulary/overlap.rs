use std::fmt;

/// What two vocabularies have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The upstream's tokens that stand for text.
    pub upstream: usize,
    /// The small model's tokens that stand for text.
    pub local: usize,
    /// The upstream's tokens whose bytes are a token of the small model's, too.
    pub shared: usize,
    /// The upstream's tokens that some token of the small model's is mapped to.
    pub steered: usize,
    /// The upstream's ids that end a turn and are mapped to such ids of the small model's.
    pub ends: usize,
}

impl fmt::Display for Overlap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |tokens: usize| 100.0 * tokens as f64 / self.upstream.max(1) as f64;
        write!(
            formatter,
            "the upstream's vocabulary has {} tokens of text and the local model's {}; {} of the upstream's ({:.1} %) are tokens of \
             both, {} ({:.1} %) can be steered",
            self.upstream,
            self.local,
            self.shared,
            share(self.shared),
            self.steered,
            share(self.steered)
        )
    }
}
