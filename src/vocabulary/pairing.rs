//! Which tokens of the small model's stand for which of the upstream's, as pairs of an upstream id and a local id.

use super::{TokenId, Tokenizer};

/// How many upstream ids are in the pairs.
pub fn distinct(pairs: &[(u32, u32)]) -> usize {
    let mut ids: Vec<u32> = pairs.iter().map(|(upstream, _)| *upstream).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.len()
}

/// Tokens of the same bytes. Where both sides have a usual token and a lone byte of these bytes, each is paired with its like.
pub fn twins(upstream: &Tokenizer, local: &Tokenizer) -> Vec<(u32, u32)> {
    let (theirs, ours) = (upstream.lexicon(), local.lexicon());
    let mut pairs = Vec::new();
    for place in 0..theirs.tokens() {
        let id = theirs.id(place);
        let same: Vec<TokenId> = ours.exactly(theirs.bytes(place)).map(|place| ours.id(place)).collect();
        let alike = |other: &&TokenId| local.is_lone_byte(**other) == upstream.is_lone_byte(id);
        let has_like = same.iter().any(|other| alike(&other));
        let others = same.iter().filter(|other| !has_like || alike(other));
        pairs.extend(others.map(|other| (id.0, other.0)));
    }
    pairs
}

/// Twins, and every longer token of the small model's with the longest token of the upstream's that it begins with. An upstream
/// token that is in no pair then is paired with the first token of the small model's own spelling of it.
pub fn by_bytes(upstream: &Tokenizer, local: &Tokenizer, twins: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    let (theirs, ours) = (upstream.lexicon(), local.lexicon());
    let mut pairs = twins;
    for place in 0..ours.tokens() {
        let bytes = ours.bytes(place);
        let longest = theirs.longest_beginning(bytes);
        let goes_on = longest.filter(|place| theirs.bytes(*place).len() < bytes.len());
        pairs.extend(goes_on.map(|longest| (theirs.id(longest).0, ours.id(place).0)));
    }
    let mut is_paired = vec![false; upstream.selectable().len()];
    for (id, _) in &pairs {
        is_paired[*id as usize] = true;
    }
    for place in 0..theirs.tokens() {
        let id = theirs.id(place);
        if !is_paired[id.index()]
            && let Some(first) = local.split(theirs.bytes(place)).first()
        {
            pairs.push((id.0, first.0));
        }
    }
    pairs
}

/// Tokens that end a turn: the usual one of each side with each other. Each further one of the upstream's is paired with that of
/// the same name, or with all further ones where none has its name.
pub fn ends(upstream: &Tokenizer, local: &Tokenizer) -> Vec<(u32, u32)> {
    let others = || local.ends().iter().filter(|id| **id != local.end());
    let mut pairs = vec![(upstream.end().0, local.end().0)];
    for id in upstream.ends().iter().filter(|id| **id != upstream.end()) {
        let namesake = others().find(|other| local.name(**other) == upstream.name(*id));
        match namesake {
            Some(namesake) => pairs.push((id.0, namesake.0)),
            None => pairs.extend(others().map(|other| (id.0, other.0))),
        }
    }
    pairs
}
