use zeroize::Zeroize;

use crate::vocabulary::TokenId;

/// Ids that spell private text. Their memory is wiped when they are dropped.
pub struct PrivateIds(Vec<TokenId>);

impl PrivateIds {
    /// These ids.
    pub(super) fn new(ids: Vec<TokenId>) -> Self {
        Self(ids)
    }

    /// The same with `more` after them. A vector that grew by itself would leave its old memory as it is.
    pub(super) fn followed_by(self, more: &[TokenId]) -> Self {
        Self([self.ids(), more].concat())
    }

    /// The first `kept` of them, and `more` after those.
    pub fn ended_by(self, kept: usize, more: &[TokenId]) -> Self {
        Self([self.ids().get(..kept).unwrap_or_default(), more].concat())
    }

    /// The ids, for the local model alone.
    pub fn ids(&self) -> &[TokenId] {
        &self.0
    }
}

impl Drop for PrivateIds {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
