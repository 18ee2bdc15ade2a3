use std::collections::{HashMap, HashSet};

use tokenizers::Tokenizer;
use tokenizers::decoders::DecoderWrapper;

use super::TokenId;

/// The bytes each token stands for in the text; empty for special tokens and holes.
///
/// Two families of vocabularies are understood: byte-level BPE, whose entries are written in GPT-2's printable alphabet,
/// and SentencePiece style, with `▁` for a space and `<0xNN>` for a lone byte.
#[derive(PartialEq, Eq)]
pub struct TokenBytes {
    of_id: Vec<Box<[u8]>>,
}

impl TokenBytes {
    /// Reads all `size` entries of `tokenizer`; `specials` stand for nothing.
    pub(super) fn of(tokenizer: &Tokenizer, size: usize, specials: &HashSet<u32>) -> Self {
        let byte_level = is_byte_level(tokenizer);
        let alphabet = byte_level_alphabet();
        let added = tokenizer.get_added_tokens_decoder();
        let of_id = (0..size as u32)
            .map(|id| {
                if specials.contains(&id) {
                    return Box::default();
                }
                let Some(text) = tokenizer.id_to_token(id) else {
                    return Box::default();
                };
                if added.contains_key(&id) {
                    return text.into_bytes().into_boxed_slice();
                }
                let bytes = if byte_level {
                    text.chars()
                        .map(|character| alphabet.get(&character).copied())
                        .collect::<Option<Vec<u8>>>()
                        .unwrap_or_else(|| text.into_bytes())
                } else {
                    sentencepiece_bytes(&text)
                };
                bytes.into_boxed_slice()
            })
            .collect();
        Self { of_id }
    }

    /// The bytes of `id`; empty for ids outside the vocabulary.
    pub fn get(&self, id: TokenId) -> &[u8] {
        self.of_id.get(id.index()).map_or(&[], |bytes| bytes)
    }

    /// The text of a finished sequence; bytes that are no UTF-8 become U+FFFD.
    pub fn text(&self, ids: &[TokenId]) -> String {
        let mut stream = TextStream::default();
        let mut text: String = ids.iter().map(|id| stream.push(self.get(*id))).collect();
        text.push_str(&stream.finish());
        text
    }
}

/// Turns the bytes of successive tokens into text, in whole characters only.
#[derive(Default)]
pub struct TextStream {
    pending: Vec<u8>,
}

impl TextStream {
    /// Adds one token's bytes and returns the text that is certain now; an incomplete character waits for its rest.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::new();
        let mut consumed = 0;
        for chunk in self.pending.utf8_chunks() {
            text.push_str(chunk.valid());
            consumed += chunk.valid().len();
            let reaches_end = consumed + chunk.invalid().len() == self.pending.len();
            if reaches_end && is_incomplete(chunk.invalid()) {
                break;
            }
            if !chunk.invalid().is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
                consumed += chunk.invalid().len();
            }
        }
        self.pending.drain(..consumed);
        text
    }

    /// What is left at the end: nothing, or U+FFFD for a character that never came whole.
    pub fn finish(&mut self) -> String {
        let rest = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending.clear();
        rest
    }
}

/// Whether `bytes` could become a character when more follow.
fn is_incomplete(bytes: &[u8]) -> bool {
    !bytes.is_empty() && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

fn is_byte_level(tokenizer: &Tokenizer) -> bool {
    match tokenizer.get_decoder() {
        Some(DecoderWrapper::ByteLevel(_)) => true,
        Some(DecoderWrapper::Sequence(sequence)) => sequence
            .get_decoders()
            .iter()
            .any(|decoder| matches!(decoder, DecoderWrapper::ByteLevel(_))),
        _ => false,
    }
}

/// GPT-2's map from printable characters back to the bytes they stand for (its `bytes_to_unicode`, inverted).
fn byte_level_alphabet() -> HashMap<char, u8> {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let mut next_free = 256;
    (0..=u8::MAX)
        .filter_map(|byte| {
            let code = if printable(byte) {
                u32::from(byte)
            } else {
                next_free += 1;
                next_free - 1
            };
            char::from_u32(code).map(|character| (character, byte))
        })
        .collect()
}

fn sentencepiece_bytes(text: &str) -> Vec<u8> {
    let lone_byte = text
        .strip_prefix("<0x")
        .and_then(|rest| rest.strip_suffix('>'))
        .and_then(|hex| u8::from_str_radix(hex, 16).ok());
    match lone_byte {
        Some(byte) => vec![byte],
        None => text.replace('▁', " ").into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_alphabet_covers_every_byte_once() {
        let alphabet = byte_level_alphabet();
        let bytes: HashSet<u8> = alphabet.values().copied().collect();
        assert_eq!(bytes.len(), 256);
        assert_eq!(alphabet.get(&'Ġ'), Some(&b' '));
        assert_eq!(alphabet.get(&'Ċ'), Some(&b'\n'));
        assert_eq!(alphabet.get(&'ä'), Some(&0xE4));
    }

    #[test]
    fn broken_bytes_become_replacement_characters_at_once() {
        let mut stream = TextStream::default();
        assert_eq!(stream.push(&[b'a', 0xFF, b'b']), "a\u{FFFD}b");
        assert_eq!(stream.push(&[0xE4, 0xBD]), "");
        assert_eq!(stream.finish(), "\u{FFFD}");
    }

    proptest! {
        #[test]
        fn any_split_of_a_text_gives_the_text(text in "\\PC{0,40}", cuts in prop::collection::vec(0usize..200, 0..12)) {
            let bytes = text.as_bytes();
            let mut borders: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            borders.extend([0, bytes.len()]);
            borders.sort_unstable();
            let mut stream = TextStream::default();
            let mut joined = String::new();
            for pair in borders.windows(2) {
                joined.push_str(&stream.push(&bytes[pair[0]..pair[1]]));
            }
            joined.push_str(&stream.finish());
            prop_assert_eq!(joined, text);
        }
    }
}
