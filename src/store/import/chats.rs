use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::entry::{checked, one_line};
use super::source::Source;
use super::{Entry, Fault, ImportError, Place, times};
use crate::store::{Document, PrivateText};

/// The largest export that is read, in bytes.
const MOST_BYTES: u64 = 1 << 30;

/// The conversations in the conversations.json of ChatGPT's data export.
pub struct Conversations {
    path: PathBuf,
    /// The file, until it is read.
    source: Option<Source>,
    bytes: Zeroizing<Vec<u8>>,
    /// Where the next conversation is.
    at: usize,
    /// The number of the conversation last read.
    number: u64,
}

impl Conversations {
    /// Reads `source`, which is called `path` in errors.
    pub fn new(path: &Path, source: Source) -> Self {
        Self {
            path: path.to_owned(),
            source: Some(source),
            bytes: Zeroizing::default(),
            at: 0,
            number: 0,
        }
    }

    fn unfit(&self, reason: &'static str) -> ImportError {
        ImportError::Unfit {
            path: self.path.clone(),
            reason,
        }
    }

    /// Reads the whole file. Conversations are taken from it one by one.
    fn load(&mut self, source: Source) -> Result<(), ImportError> {
        let read = source.take(MOST_BYTES + 1).read_to_end(&mut self.bytes);
        read.map_err(|error| ImportError::unreadable(&self.path, error))?;
        if self.bytes.len() as u64 > MOST_BYTES {
            return Err(self.unfit("is larger than 1 GiB; take it apart into smaller arrays of conversations"));
        }
        self.skip(b" \t\r\n");
        if self.bytes.get(self.at) != Some(&b'[') {
            return Err(
                self.unfit("is no array of conversations; give the conversations.json of ChatGPT's data export")
            );
        }
        self.at += 1;
        Ok(())
    }

    fn skip(&mut self, bytes: &[u8]) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|byte| bytes.contains(byte)).count();
    }

    /// The next element of the array.
    fn element(&mut self) -> Result<Option<Value>, ImportError> {
        self.skip(b" \t\r\n,");
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(b"]") {
            return Ok(None);
        }
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter();
        match values.next() {
            Some(Ok(value)) => {
                self.at += values.byte_offset();
                self.number += 1;
                Ok(Some(value))
            }
            Some(Err(_)) | None => Err(self.unfit("stops being JSON within its array; export or copy it once more")),
        }
    }
}

impl Iterator for Conversations {
    type Item = Result<Entry, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(source) = self.source.take()
            && let Err(error) = self.load(source)
        {
            return Some(Err(error));
        }
        loop {
            let value = match self.element() {
                Ok(value) => value?,
                Err(error) => return Some(Err(error)),
            };
            match conversation(value) {
                Ok(None) => {}
                Ok(Some(document)) => return Some(Ok(Entry::Document(None, document))),
                Err(fault) => {
                    let place = Place::Conversation(self.number);
                    return Some(Err(ImportError::entry(&self.path, place, fault)));
                }
            }
        }
    }
}

/// What its user has written in a conversation, unless that is nothing.
fn conversation(value: Value) -> Result<Option<Document>, Fault> {
    let mapping = value
        .get("mapping")
        .and_then(Value::as_object)
        .ok_or(Fault::NotAConversation)?;
    let messages: Vec<Zeroizing<String>> = branch(mapping, value.get("current_node").and_then(Value::as_str))
        .into_iter()
        .filter_map(users)
        .collect();
    let text: Vec<&str> = messages.iter().map(|message| message.as_str()).collect();
    let text = PrivateText::from(text.join("\n\n"));
    if text.is_blank() {
        return Ok(None);
    }
    let string = |field| value.get(field).and_then(Value::as_str);
    checked(Document {
        key: string("id").or(string("conversation_id")).unwrap_or_default().into(),
        title: one_line(string("title").unwrap_or_default()).into(),
        text,
        time: value.get("create_time").and_then(Value::as_f64).and_then(times::unix),
        source: "chatgpt".into(),
        tags: Vec::new(),
    })
    .map(Some)
}

/// The nodes from the first to `last`: those the user sees, for a message that was changed and sent again begins a
/// branch. Without a last node there is nothing to tell branches by, and all count.
fn branch<'v>(mapping: &'v Map<String, Value>, last: Option<&str>) -> Vec<&'v Value> {
    let Some(mut node) = last.and_then(|last| mapping.get(last)) else {
        return mapping.values().collect();
    };
    let mut nodes = vec![node];
    while let Some(parent) = node
        .get("parent")
        .and_then(Value::as_str)
        .and_then(|parent| mapping.get(parent))
    {
        // Parents in a circle would have no end.
        if nodes.len() == mapping.len() {
            break;
        }
        nodes.push(parent);
        node = parent;
    }
    nodes.reverse();
    nodes
}

/// The text of a node, if it is the user's. What ChatGPT says in the user's name is hidden and left out.
fn users(node: &Value) -> Option<Zeroizing<String>> {
    let message = node.get("message")?;
    let hidden = message
        .pointer("/metadata/is_visually_hidden_from_conversation")
        .and_then(Value::as_bool);
    if message.pointer("/author/role")?.as_str()? != "user" || hidden == Some(true) {
        return None;
    }
    let parts = message.pointer("/content/parts")?.as_array()?;
    // Among them may be images, and what was spoken.
    let texts: Vec<&str> = parts
        .iter()
        .filter_map(|part| part.as_str().or_else(|| part.get("text")?.as_str()))
        .collect();
    let text = Zeroizing::new(texts.join("\n"));
    (!text.trim().is_empty()).then(|| Zeroizing::new(text.trim().to_owned()))
}
