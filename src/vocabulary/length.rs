//! How long texts are in tokens, without cutting all of them.

use super::Tokenizer;

/// Bytes of a token in texts that people write, estimated generously.
const USUAL_BYTES: usize = 8;
/// Texts of up to this many bytes are cut into tokens so fast that nothing is gained by counting first.
const CHEAP_BYTES: usize = 64 << 10;
/// Bytes of a text that are cut into tokens at once to count them.
const PART_BYTES: usize = 8 << 10;

impl Tokenizer {
    /// Whether texts are certainly longer than `most` tokens. False for short texts, whose ids are soon computed anyway.
    ///
    /// Two things are used. No token has more bytes than [`Self::longest_token`]. And the tokens of a part of a text are tokens
    /// of the whole text, except at the two ends of the part.
    pub fn exceeds(&self, texts: &[&str], most: usize) -> bool {
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        if bytes <= most.saturating_mul(USUAL_BYTES).max(CHEAP_BYTES) {
            // Cheap enough to be counted for certain, by whoever needs the ids.
            return false;
        }
        if bytes > most.saturating_mul(self.longest_token()) {
            return true;
        }
        let mut count = 0;
        for text in texts {
            let mut rest = *text;
            while !rest.is_empty() {
                let (part, after) = rest.split_at(rest.floor_char_boundary(PART_BYTES));
                count += self.encode(part).map_or(0, |ids| ids.len().saturating_sub(2));
                rest = after;
                if count > most {
                    return true;
                }
            }
        }
        false
    }
}
