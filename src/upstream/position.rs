use crate::vocabulary::TokenId;

/// One position of the upstream's own continuation.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// The token that the upstream itself continues with. Later positions of the same stream follow this token.
    pub draft: TokenId,
    /// The most likely tokens with their raw ln p, likeliest first; at most as many as were asked for. A greedy draft is
    /// among them.
    pub candidates: Vec<(TokenId, f64)>,
}

impl Position {
    /// A position of which nothing is known but what the server went on with.
    pub fn certain(token: TokenId) -> Self {
        Self {
            draft: token,
            candidates: vec![(token, 0.0)],
        }
    }

    /// The upstream's own likeliest token there.
    pub fn best(&self) -> TokenId {
        self.candidates.first().map_or(self.draft, |(id, _)| *id)
    }
}
