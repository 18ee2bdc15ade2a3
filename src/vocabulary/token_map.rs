use super::TokenId;

/// Maps each token of the upstream's to the small model's tokens that stand for it: the sum of their probabilities is used as
/// its probability. It holds while there are no pending bytes.
pub struct TokenMap {
    /// The first local id of each upstream id; [`Self::UNMAPPED`] where there is none.
    first: Vec<u32>,
    /// The other local ids, as (upstream id, local id) in rising order. Most tokens have none.
    others: Vec<(u32, u32)>,
}

impl TokenMap {
    /// In place of the first local id of a token that is mapped to none.
    pub const UNMAPPED: u32 = u32::MAX;

    /// From pairs of an upstream id below `size` and a local id it is mapped to.
    pub fn new(size: usize, mut pairs: Vec<(u32, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut first = vec![Self::UNMAPPED; size];
        pairs.retain(|(upstream, local)| match first.get_mut(*upstream as usize) {
            Some(slot) if *slot == Self::UNMAPPED => {
                *slot = *local;
                false
            }
            Some(_) => true,
            None => false,
        });
        pairs.shrink_to_fit();
        Self { first, others: pairs }
    }

    /// The first local id of each upstream id, shape `[upstream vocabulary]`.
    pub fn first(&self) -> &[u32] {
        &self.first
    }

    /// All further pairs, those of one upstream id together.
    pub fn others(&self) -> &[(u32, u32)] {
        &self.others
    }

    /// All local tokens that `id` is mapped to.
    pub fn of(&self, id: TokenId) -> impl Iterator<Item = TokenId> {
        let first = self
            .first
            .get(id.index())
            .copied()
            .filter(|local| *local != Self::UNMAPPED);
        let start = self.others.partition_point(|(upstream, _)| *upstream < id.0);
        let others = self.others[start..]
            .iter()
            .take_while(move |(upstream, _)| *upstream == id.0);
        first.into_iter().chain(others.map(|(_, local)| *local)).map(TokenId)
    }

    /// Heap memory, in bytes.
    pub fn memory(&self) -> usize {
        4 * self.first.len() + 8 * self.others.len()
    }
}
