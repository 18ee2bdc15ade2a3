use zeroize::Zeroize;

use crate::vocabulary::TokenId;

/// Ids that spell private text; wiped when dropped.
pub struct PrivateIds(pub(super) Vec<TokenId>);

impl PrivateIds {
    /// The ids, for the local model alone.
    pub fn ids(&self) -> &[TokenId] {
        &self.0
    }
}

impl Zeroize for PrivateIds {
    fn zeroize(&mut self) {
        for id in &mut self.0 {
            id.0.zeroize();
        }
        self.0.clear();
    }
}
