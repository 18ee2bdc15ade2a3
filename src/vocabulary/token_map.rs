use super::TokenId;

/// Maps each token of the upstream's to the small model's tokens that stand for it: the sum of their probabilities is used as
/// its probability. It holds while there are no pending bytes.
pub struct TokenMap {
    /// The local ids of each upstream id.
    local: Links,
    /// The same pairs the other way round.
    upstream: Links,
}

/// For each id of one side ids of the other, in rising order.
struct Links {
    /// Where each id's links begin in `ids`; one more than there are ids.
    starts: Vec<u32>,
    ids: Vec<u32>,
}

impl TokenMap {
    /// From pairs of an upstream id and a local id that it is mapped to, out of as many ids as the two sides have. Pairs with other
    /// ids are left out.
    pub fn new(upstream: usize, local: usize, mut pairs: Vec<(u32, u32)>) -> Self {
        pairs.retain(|(theirs, ours)| (*theirs as usize) < upstream && (*ours as usize) < local);
        pairs.sort_unstable();
        pairs.dedup();
        let to_local = Links::new(upstream, &pairs);
        let mut back: Vec<(u32, u32)> = pairs.into_iter().map(|(theirs, ours)| (ours, theirs)).collect();
        back.sort_unstable();
        Self {
            local: to_local,
            upstream: Links::new(local, &back),
        }
    }

    /// All local tokens that the upstream's `id` is mapped to.
    pub fn of(&self, id: TokenId) -> impl ExactSizeIterator<Item = TokenId> {
        self.local.of(id.index()).iter().copied().map(TokenId)
    }

    /// All upstream tokens that are mapped to the local token `id`, and perhaps to others.
    pub fn mapped_to(&self, id: TokenId) -> impl ExactSizeIterator<Item = TokenId> {
        self.upstream.of(id.index()).iter().copied().map(TokenId)
    }

    /// Heap memory, in bytes.
    pub fn memory(&self) -> usize {
        self.local.memory() + self.upstream.memory()
    }
}

impl Links {
    /// From sorted pairs whose first id is below `size`.
    fn new(size: usize, pairs: &[(u32, u32)]) -> Self {
        let mut starts = Vec::with_capacity(size + 1);
        let mut start = 0;
        starts.push(start);
        let mut rest = pairs;
        for id in 0..size {
            let own = rest.iter().take_while(|(first, _)| *first as usize == id).count();
            rest = &rest[own..];
            start += own as u32;
            starts.push(start);
        }
        Self {
            starts,
            ids: pairs.iter().map(|(_, second)| *second).collect(),
        }
    }

    /// The links of `id`; none where it is not known.
    fn of(&self, id: usize) -> &[u32] {
        match (self.starts.get(id), self.starts.get(id + 1)) {
            (Some(start), Some(end)) => self.ids.get(*start as usize..*end as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    fn memory(&self) -> usize {
        4 * (self.starts.len() + self.ids.len())
    }
}
