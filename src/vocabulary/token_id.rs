use serde::{Deserialize, Serialize};
use zeroize::DefaultIsZeroes;

/// The number of a token in a vocabulary. Never a position, never a rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize, Serialize)]
pub struct TokenId(pub u32);

/// Ids can spell private text, so vectors of them can be wiped.
impl DefaultIsZeroes for TokenId {}

impl TokenId {
    /// The id as an index into a vocabulary-sized slice.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
