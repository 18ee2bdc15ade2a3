//! Parting JSON into values without understanding it, so that one that is broken does not hide the others.

use std::io::{BufRead, Result};

use zeroize::Zeroizing;

use crate::store::import::source::Source;

/// The largest value that is read, in bytes.
pub const MOST_BYTES: usize = 64 << 20;

/// The text of a value, or why there is none.
pub enum Element {
    /// All of it.
    Whole(Zeroizing<Vec<u8>>),
    /// The file ends within it.
    CutOff,
    /// It has more than [`MOST_BYTES`].
    TooLong,
}

/// The values of a file: those of the list in it, or those that stand one after the other.
pub struct Elements {
    source: Source,
    /// Whether a list has begun that has not ended.
    in_list: bool,
    over: bool,
}

impl Elements {
    /// The values in `source`.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            in_list: false,
            over: false,
        }
    }

    /// The first byte of the next value; `None` at the end.
    fn begin(&mut self) -> Result<Option<u8>> {
        loop {
            let Some(byte) = self.source.fill_buf()?.first().copied() else {
                return Ok(None);
            };
            match byte {
                b'[' if !self.in_list => self.in_list = true,
                b']' => self.in_list = false,
                b',' => {}
                _ if byte.is_ascii_whitespace() => {}
                _ => return Ok(Some(byte)),
            }
            self.source.consume(1);
        }
    }

    fn element(&mut self) -> Result<Option<Element>> {
        if self.begin()?.is_none() {
            // A list that never ends is not all that there was.
            return Ok(std::mem::take(&mut self.in_list).then_some(Element::CutOff));
        }
        let mut value = Zeroizing::new(Vec::new());
        let mut state = State::default();
        loop {
            let buffer = self.source.fill_buf()?;
            if buffer.is_empty() {
                self.in_list = false;
                return Ok(Some(if state.depth == 0 && !state.in_text {
                    Element::Whole(value)
                } else {
                    Element::CutOff
                }));
            }
            let end = buffer.iter().position(|byte| state.ends_after(*byte));
            let (taken, kept) = match end {
                // A number or a word ends before what comes next.
                Some(at) if state.bare => (at, at),
                Some(at) => (at + 1, at + 1),
                None => (buffer.len(), buffer.len()),
            };
            if value.len() + kept <= MOST_BYTES {
                value.extend_from_slice(buffer.get(..kept).unwrap_or_default());
            } else {
                state.too_long = true;
            }
            self.source.consume(taken);
            if end.is_some() {
                return Ok(Some(if state.too_long {
                    Element::TooLong
                } else {
                    Element::Whole(value)
                }));
            }
        }
    }
}

impl Iterator for Elements {
    type Item = Result<Element>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let element = self.element().transpose();
        self.over = !matches!(element, Some(Ok(Element::Whole(_) | Element::TooLong)));
        element
    }
}

#[derive(Default)]
struct State {
    depth: usize,
    in_text: bool,
    escaped: bool,
    /// Whether it is a number or a word, which nothing closes.
    bare: bool,
    begun: bool,
    too_long: bool,
}

impl State {
    /// Whether the value ends with `byte`, or before it where it is bare.
    fn ends_after(&mut self, byte: u8) -> bool {
        if self.in_text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => {
                    self.in_text = false;
                    return self.depth == 0;
                }
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' if !self.bare => self.in_text = true,
            b'{' | b'[' if !self.bare => self.depth += 1,
            b'}' | b']' if self.depth > 0 => {
                self.depth -= 1;
                return self.depth == 0;
            }
            _ if self.depth == 0 => {
                let ends = self.begun && (byte.is_ascii_whitespace() || b",]}{[".contains(&byte));
                self.bare = true;
                self.begun = true;
                return ends;
            }
            _ => {}
        }
        self.begun = true;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::import::source::from_bytes;

    fn parts(text: &str) -> Vec<String> {
        let elements = Elements::new(from_bytes(text.as_bytes().to_vec()).unwrap());
        let shown = elements.map(|element| match element.unwrap() {
            Element::Whole(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            Element::CutOff => "cut off".to_owned(),
            Element::TooLong => "too long".to_owned(),
        });
        shown.collect()
    }

    #[test]
    fn values_are_parted() {
        assert_eq!(
            parts(r#"[{"a":"]}\""}, [1, 2],"x" , 5,null]"#),
            [r#"{"a":"]}\""}"#, "[1, 2]", r#""x""#, "5", "null"]
        );
        assert_eq!(parts("{\"a\":1}\n{\"b\":\n2}\n"), ["{\"a\":1}", "{\"b\":\n2}"]);
        assert_eq!(parts(" [] "), Vec::<String>::new());
        assert_eq!(parts(""), Vec::<String>::new());
    }

    #[test]
    fn an_end_that_is_missing_is_noticed() {
        for text in ["[", "[{\"a\":1}", "[{\"a\":1},{\"b\"", "{\"a", "[\"a"] {
            assert_eq!(parts(text).last().map(String::as_str), Some("cut off"), "{text}");
        }
        assert_eq!(parts("[{\"a\":1},{\"b\"").len(), 2);
    }
}
