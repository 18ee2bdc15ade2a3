//! Writing bytes as tokens in the middle of a text.

use super::{TokenId, Tokenizer};

impl Tokenizer {
    /// `bytes` as tokens in the middle of a text. The tokenizer's own way of writing them is taken where it leaves the bytes as they
    /// are; many tokenizers put a space before a text, or normalise it. Otherwise the longest tokens that fit are taken, one after
    /// the other. Bytes that no token begins with are left out.
    pub fn split(&self, bytes: &[u8]) -> Vec<TokenId> {
        if let Some(place) = self.lexicon().exactly(bytes).next() {
            return vec![self.lexicon().id(place)];
        }
        let text = std::str::from_utf8(bytes).ok();
        let whole = text.and_then(|text| {
            // To the tokenizer, a text that comes after a special token or a line break is no beginning.
            let openings = [String::new(), self.name(self.end()), "\n".to_owned()];
            let written = openings
                .iter()
                .map(|opening| (opening, self.encode(&format!("{opening}{text}"))));
            written
                .filter_map(|(opening, ids)| self.without(opening, ids.ok()?))
                .find(|ids| self.spells(ids, bytes))
        });
        whole.unwrap_or_else(|| self.lexicon().greedy(bytes))
    }

    /// `ids` without the token that is all of `opening`.
    fn without(&self, opening: &str, mut ids: Vec<TokenId>) -> Option<Vec<TokenId>> {
        let first = ids.first().copied();
        let is_opening = |id: TokenId| id == self.end() || self.bytes().get(id) == opening.as_bytes();
        if opening.is_empty() {
            return Some(ids);
        }
        first.filter(|id| is_opening(*id))?;
        ids.remove(0);
        Some(ids)
    }

    /// Whether `ids` stand for exactly `bytes`.
    pub fn spells(&self, ids: &[TokenId], bytes: &[u8]) -> bool {
        let mut rest = bytes;
        for id in ids {
            let of_this = self.bytes().get(*id);
            match rest.strip_prefix(of_this) {
                Some(after) if !of_this.is_empty() => rest = after,
                _ => return false,
            }
        }
        rest.is_empty()
    }
}
