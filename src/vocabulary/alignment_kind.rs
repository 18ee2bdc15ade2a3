use std::fmt;

use serde::Deserialize;

/// How the configuration wants the two vocabularies to be aligned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlignmentChoice {
    /// `Identical` where they are, `Bytes` otherwise.
    #[default]
    Auto,
    /// See [`AlignmentKind::Identical`].
    Identical,
    /// See [`AlignmentKind::Intersection`].
    Intersection,
    /// See [`AlignmentKind::Bytes`].
    Bytes,
}

/// How the small model's log-probabilities, which are of its own tokens, are used for the upstream's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlignmentKind {
    /// One vocabulary: ids mean the same to both.
    Identical,
    /// An upstream token is steered by the small model's tokens of the same bytes, and not at all where there are none.
    Intersection,
    /// An upstream token is steered by all of the small model's tokens that could begin a text which the upstream would begin
    /// with it.
    Bytes,
}

impl fmt::Display for AlignmentKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Identical => "identical",
            Self::Intersection => "intersection",
            Self::Bytes => "bytes",
        })
    }
}
