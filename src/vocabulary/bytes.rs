use std::collections::{HashMap, HashSet};

use tokenizers::Tokenizer;
use tokenizers::decoders::DecoderWrapper;

use super::{TextStream, TokenId};

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
}
