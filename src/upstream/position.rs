use crate::vocabulary::TokenId;

/// One position of the upstream's own continuation.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// The token the upstream continues with by itself; later positions of the same stream are conditioned on it.
    pub draft: TokenId,
    /// The most likely tokens with their raw ln p, likeliest first; at most as many as were asked for. A greedy draft is
    /// among them.
    pub candidates: Vec<(TokenId, f64)>,
}

impl Position {
    /// The upstream's own likeliest token there.
    pub fn best(&self) -> TokenId {
        self.candidates.first().map_or(self.draft, |(id, _)| *id)
    }
}
