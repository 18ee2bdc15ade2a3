use std::sync::Arc;

use serde_json::Value;

use super::phase::Phase;
use crate::vocabulary::{Calling, Part, ToolCall, WrittenCalls};

/// Tools that a model may call in its answer.
#[derive(Clone, Debug)]
pub struct Calls {
    /// How it writes calls.
    pub calling: Arc<Calling>,
    /// The tools, in OpenAI's form.
    pub tools: Arc<[Value]>,
    /// Whether there may be more than one.
    pub parallel: bool,
}

/// What is steered of an answer that calls tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tools {
    /// What people read. Calls are the upstream's alone, from the mark that begins them to their end.
    Prose,
    /// Calls, too.
    All,
}

/// Parts calls from the text around them. It knows marks as bytes, as the machine for thoughts does.
pub struct CallReader {
    calls: Calls,
    /// Blanks, and what may be the beginning of calls.
    held: Vec<u8>,
    /// Blanks before the calls that are being written.
    blanks: Vec<u8>,
    /// Calls that are being written.
    written: Option<WrittenCalls>,
    /// Whether nothing but blanks has come.
    is_start: bool,
    /// Behind calls: an end that may still come and says nothing; empty where none may.
    stray: &'static str,
}

/// What some of an answer came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parted {
    /// Bytes of the text that are certain now.
    pub prose: Vec<u8>,
    /// The same of what is thought between calls.
    pub reasoning: Vec<u8>,
    /// Calls that have ended.
    pub calls: Vec<ToolCall>,
}

impl CallReader {
    /// Of an answer in which these may be called.
    pub fn new(calls: Calls) -> Self {
        Self {
            calls,
            held: Vec::new(),
            blanks: Vec::new(),
            written: None,
            is_start: true,
            stray: "",
        }
    }

    /// What may be called.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Whether a call is being written.
    pub fn is_call(&self) -> bool {
        self.written.is_some()
    }

    /// Whether what has been written last may be the beginning of calls.
    pub fn is_open(&self) -> bool {
        self.calls.calling.held(&self.held, self.is_start) > 0 || self.is_stray(&self.held)
    }

    /// Whether `text` behind calls is an end that says nothing, or is on the way to it.
    fn is_stray(&self, text: &[u8]) -> bool {
        let (word, stray) = (text.trim_ascii_start(), self.stray.as_bytes());
        !word.is_empty() && !stray.is_empty() && (stray.starts_with(word) || word.starts_with(stray))
    }

    /// Whether an answer that goes on with `next` is in a call, or on the way to one.
    pub fn begins(&self, next: &[u8]) -> bool {
        let text = [&self.held, next].concat();
        self.is_call() || self.calls.calling.begins(&text, self.is_start) || self.is_stray(&text)
    }

    /// Reads what comes next, and says what its last byte belongs to.
    pub fn push(&mut self, next: &[u8]) -> (Parted, Phase) {
        let (mut parted, mut next, mut has_called) = (Parted::default(), next.to_vec(), false);
        loop {
            if let Some(written) = &mut self.written {
                let Some((whole, after)) = written.push(&next) else {
                    return (parted, Phase::Call);
                };
                self.stray = written.stray();
                self.written = None;
                has_called = true;
                self.read(whole, &mut parted);
                next = after;
            }
            self.held.append(&mut next);
            if self.is_stray(&self.held) {
                let word = self.held.trim_ascii_start();
                let Some(after) = word.strip_prefix(self.stray.as_bytes()) else {
                    return (parted, Phase::Undecided);
                };
                self.held = after.to_vec();
                self.stray = "";
                has_called = true;
            } else if !self.held.trim_ascii_start().is_empty() {
                self.stray = "";
            }
            if let Some((at, written)) = self.calls.calling.begun(&self.held, self.is_start) {
                next = self.held.split_off(at);
                let certain = self.held.trim_ascii_end().len();
                self.blanks = self.held.split_off(certain);
                parted.prose.append(&mut self.held);
                self.written = Some(written);
                self.is_start = false;
                continue;
            }
            let open = self.calls.calling.held(&self.held, self.is_start);
            let certain = self.held.len() - open;
            let certain = self.held.get(..certain).unwrap_or_default().trim_ascii_end().len();
            let rest = self.held.split_off(certain);
            parted.prose.extend(std::mem::replace(&mut self.held, rest));
            self.is_start &= certain == 0;
            let phase = match (open, has_called) {
                (0, false) => Phase::Prose,
                (0, true) => Phase::Call,
                _ => Phase::Undecided,
            };
            return (parted, phase);
        }
    }

    /// What is left when nothing more comes.
    pub fn finish(&mut self) -> Parted {
        let mut parted = Parted::default();
        if let Some(written) = self.written.take() {
            self.read(written.finish(), &mut parted);
        }
        let held = std::mem::take(&mut self.held);
        if !self.is_stray(&held) {
            parted.prose.extend(held);
        }
        parted
    }

    /// Adds what calls say. What is none comes out as the text that it is.
    fn read(&mut self, whole: Vec<u8>, parted: &mut Parted) {
        let blanks = std::mem::take(&mut self.blanks);
        let text = std::str::from_utf8(&whole).ok();
        match text.and_then(|text| self.calls.calling.read(text, &self.calls.tools)) {
            Some(parts) => {
                for part in parts {
                    match part {
                        Part::Call(call) => parted.calls.push(call),
                        Part::Text(text) => parted.prose.extend(text.into_bytes()),
                        Part::Thought(text) => parted.reasoning.extend(text.into_bytes()),
                    }
                }
            }
            None => parted.prose.extend([blanks, whole].concat()),
        }
    }
}
