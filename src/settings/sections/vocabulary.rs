use serde::Deserialize;

use crate::vocabulary::AlignmentChoice;

/// `[vocabulary]`: how the small model's tokens and the upstream's are brought together.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vocabulary {
    /// By what.
    pub alignment: AlignmentChoice,
}
