use crate::vocabulary::TokenId;

/// The tokens that a grammar allows next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Which they are, shape `[vocabulary]`. Tokens that end the turn are among them exactly where the grammar accepts.
    pub selectable: Box<[bool]>,
    /// How many they are.
    pub count: usize,
    /// The one that comes next, where there is no other.
    pub only: Option<TokenId>,
}

impl Allowed {
    /// Whether `token` is among them.
    pub fn contains(&self, token: TokenId) -> bool {
        self.selectable.get(token.index()).copied().unwrap_or(false)
    }

    /// All of them, in rising order.
    pub fn tokens(&self) -> impl Iterator<Item = TokenId> + '_ {
        let numbered = (0..).map(TokenId).zip(&self.selectable);
        numbered.filter(|(_, is_allowed)| **is_allowed).map(|(token, _)| token)
    }
}
