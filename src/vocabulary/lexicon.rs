use std::ops::Range;

use super::TokenId;

/// The ordinary tokens of a vocabulary, sorted by their bytes. It is used like a trie: a node of the trie is the range of all tokens
/// that begin with the same bytes.
///
/// Tokens of the same bytes stand side by side, in the order in which they were given.
pub struct Lexicon {
    ids: Vec<TokenId>,
    /// All tokens' bytes, one after the other.
    text: Vec<u8>,
    /// Where each token's bytes begin in `text`; one more than there are tokens.
    starts: Vec<u32>,
}

impl Lexicon {
    /// From tokens and their bytes. Tokens without bytes are left out.
    pub fn new<'a>(tokens: impl Iterator<Item = (TokenId, &'a [u8])>) -> Self {
        let mut sorted: Vec<(&[u8], TokenId)> = tokens
            .filter(|(_, bytes)| !bytes.is_empty())
            .map(|(id, bytes)| (bytes, id))
            .collect();
        // Stable, so that of tokens of the same bytes the preferred one stays first.
        sorted.sort_by_key(|(bytes, _)| *bytes);
        let mut text = Vec::new();
        let mut starts = vec![0];
        for (bytes, _) in &sorted {
            text.extend_from_slice(bytes);
            starts.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        Self {
            ids: sorted.into_iter().map(|(_, id)| id).collect(),
            text,
            starts,
        }
    }

    /// Number of tokens.
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// The token at this place of the order.
    pub fn id(&self, place: usize) -> TokenId {
        self.ids[place]
    }

    /// The bytes of the token at this place of the order.
    pub fn bytes(&self, place: usize) -> &[u8] {
        &self.text[self.starts[place] as usize..self.starts[place + 1] as usize]
    }

    /// Places of the tokens that begin with `prefix`. Those that are exactly `prefix` come first.
    pub fn beginning_with(&self, prefix: &[u8]) -> Range<usize> {
        self.narrowed(0..self.tokens(), prefix)
    }

    /// Places of the tokens that are exactly `bytes`.
    pub fn exactly(&self, bytes: &[u8]) -> Range<usize> {
        self.exact_in(self.beginning_with(bytes), bytes.len())
    }

    /// Places of the longest tokens that `bytes` begins with; empty where there is none.
    pub fn longest_beginning(&self, bytes: &[u8]) -> Range<usize> {
        let mut within = 0..self.tokens();
        let mut longest = 0..0;
        for length in 1..=bytes.len() {
            within = self.narrowed(within, &bytes[..length]);
            if within.is_empty() {
                break;
            }
            let exact = self.exact_in(within.clone(), length);
            if !exact.is_empty() {
                longest = exact;
            }
        }
        longest
    }

    /// `bytes` as tokens, each the longest that fits. Bytes that no token begins with are left out.
    pub fn greedy(&self, bytes: &[u8]) -> Vec<TokenId> {
        let mut tokens = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let longest = self.longest_beginning(rest);
            let length = match longest.clone().next() {
                Some(place) => {
                    tokens.push(self.id(place));
                    self.bytes(place).len()
                }
                None => 1,
            };
            rest = &rest[length..];
        }
        tokens
    }

    /// Heap memory, in bytes.
    pub fn memory(&self) -> usize {
        4 * (self.ids.len() + self.starts.len()) + self.text.len()
    }

    /// The places of `within` whose tokens begin with `prefix`.
    fn narrowed(&self, within: Range<usize>, prefix: &[u8]) -> Range<usize> {
        let first = self.first(within.clone(), |bytes| bytes >= prefix);
        let last = self.first(first..within.end, |bytes| !bytes.starts_with(prefix));
        first..last
    }

    /// The tokens of `within` that have `length` bytes and no more. All tokens of `within` must begin with the same `length` bytes.
    fn exact_in(&self, within: Range<usize>, length: usize) -> Range<usize> {
        within.start..self.first(within, |bytes| bytes.len() > length)
    }

    /// The first place of `within` for which `is_past` holds. It must hold for all places after that one, too.
    fn first(&self, within: Range<usize>, is_past: impl Fn(&[u8]) -> bool) -> usize {
        let (mut low, mut high) = (within.start, within.end);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_past(self.bytes(middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lexicon(tokens: &[Vec<u8>]) -> Lexicon {
        let numbered = tokens.iter().enumerate();
        Lexicon::new(numbered.map(|(id, bytes)| (TokenId(id as u32), bytes.as_slice())))
    }

    fn ids(lexicon: &Lexicon, places: Range<usize>) -> Vec<u32> {
        let mut ids: Vec<u32> = places.map(|place| lexicon.id(place).0).collect();
        ids.sort_unstable();
        ids
    }

    fn words() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let byte = prop::sample::select(vec![b'a', b'b', 0x00, 0xFF]);
        prop::collection::vec(prop::collection::vec(byte, 0..5), 1..40)
    }

    proptest! {
        #[test]
        fn nodes_are_what_a_look_at_every_token_finds(
            tokens in words(),
            wanted in prop::collection::vec(prop::sample::select(vec![b'a', b'b', 0x00, 0xFF]), 0..6),
        ) {
            let lexicon = lexicon(&tokens);
            let all = || (0..tokens.len() as u32).filter(|id| !tokens[*id as usize].is_empty());
            let beginning: Vec<u32> = all().filter(|id| tokens[*id as usize].starts_with(&wanted)).collect();
            prop_assert_eq!(ids(&lexicon, lexicon.beginning_with(&wanted)), beginning);
            let same: Vec<u32> = all().filter(|id| tokens[*id as usize] == wanted).collect();
            prop_assert_eq!(ids(&lexicon, lexicon.exactly(&wanted)), same);
            let begins = |id: &u32| wanted.starts_with(&tokens[*id as usize]);
            let longest = all().filter(begins).map(|id| tokens[id as usize].len()).max().unwrap_or(0);
            let longest: Vec<u32> = all().filter(begins).filter(|id| tokens[*id as usize].len() == longest).collect();
            prop_assert_eq!(ids(&lexicon, lexicon.longest_beginning(&wanted)), longest);
        }

        #[test]
        fn what_every_byte_is_a_token_of_is_covered(text in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut tokens: Vec<Vec<u8>> = (0..=u8::MAX).map(|byte| vec![byte]).collect();
            tokens.push(text.iter().copied().take(3).collect());
            let lexicon = lexicon(&tokens);
            let covered: Vec<u8> = lexicon.greedy(&text).iter().flat_map(|id| tokens[id.index()].clone()).collect();
            prop_assert_eq!(covered, text);
        }
    }

    #[test]
    fn of_equals_the_one_given_first_comes_first() {
        let tokens = [(TokenId(7), b"a".as_slice()), (TokenId(3), b"a"), (TokenId(5), b"ab")];
        let lexicon = Lexicon::new(tokens.into_iter());
        assert_eq!(
            lexicon.exactly(b"a").next().map(|place| lexicon.id(place)),
            Some(TokenId(7))
        );
        assert_eq!(lexicon.greedy(b"aab"), [TokenId(7), TokenId(5)]);
    }

    #[test]
    fn what_no_token_covers_is_left_out() {
        let lexicon = lexicon(&[b"ab".to_vec(), b"c".to_vec()]);
        assert_eq!(lexicon.greedy(b"xabacy"), [TokenId(0), TokenId(1)]);
    }
}
