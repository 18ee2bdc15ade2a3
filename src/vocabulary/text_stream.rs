/// Turns the bytes of successive tokens into text, in whole characters only.
#[derive(Default)]
pub struct TextStream {
    pending: Vec<u8>,
}

impl TextStream {
    /// Adds one token's bytes and returns the whole characters there are. The bytes of an incomplete character are kept for later.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
