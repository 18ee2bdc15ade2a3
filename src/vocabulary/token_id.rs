use serde::{Deserialize, Serialize};

/// The number of a token in a vocabulary. Never a position, never a rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub struct TokenId(pub u32);

impl TokenId {
    /// The id as an index into a vocabulary-sized slice.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
