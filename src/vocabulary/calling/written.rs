use super::family::{Form, Marks};

/// Calls that are being written, from what begins them on.
#[derive(Debug)]
pub struct WrittenCalls {
    bytes: Vec<u8>,
    /// Bytes that have been looked at.
    seen: usize,
    /// What ends them; empty where that is the end of the answer.
    close: &'static str,
    stray: &'static str,
    /// Whether the arguments are JSON, in whose texts no end counts.
    is_json: bool,
    in_text: bool,
    is_escaped: bool,
}

impl WrittenCalls {
    pub(super) fn new(form: Form, marks: Marks) -> Self {
        Self {
            bytes: Vec::new(),
            seen: marks.open.len(),
            close: marks.close,
            stray: marks.stray,
            is_json: form == Form::Json,
            in_text: false,
            is_escaped: false,
        }
    }

    /// What may stand behind their end and says nothing; empty where that is nothing.
    pub fn stray(&self) -> &'static str {
        self.stray
    }

    /// Adds what comes next. Gives all of it and what comes after it, where it ends in there.
    pub fn push(&mut self, next: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        self.bytes.extend_from_slice(next);
        while let Some(byte) = self.bytes.get(self.seen).copied() {
            let rest = self.bytes.get(self.seen..).unwrap_or_default();
            if !self.in_text && !self.close.is_empty() {
                if rest.starts_with(self.close.as_bytes()) {
                    let after = self.bytes.split_off(self.seen + self.close.len());
                    return Some((std::mem::take(&mut self.bytes), after));
                }
                if self.close.as_bytes().starts_with(rest) {
                    return None;
                }
            }
            self.look_at(byte);
            self.seen += 1;
        }
        None
    }

    fn look_at(&mut self, byte: u8) {
        match byte {
            _ if !self.is_json => {}
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' if self.in_text => self.is_escaped = true,
            b'"' => self.in_text = !self.in_text,
            _ => {}
        }
    }

    /// All of it, when nothing more comes.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}
