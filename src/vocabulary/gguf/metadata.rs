use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::reader::{self, Metadata, Value};
use crate::vocabulary::VocabularyError;

/// What a GGUF file says of its tokenizer and its model.
pub struct GgufMetadata(Metadata);

impl GgufMetadata {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`VocabularyError::Unreadable`]; [`VocabularyError::Broken`] where it is no GGUF file.
    pub fn read(path: &Path) -> Result<Self, VocabularyError> {
        let unreadable = |source| VocabularyError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        let metadata = reader::read(&mut BufReader::with_capacity(1 << 20, file));
        metadata.map(Self).map_err(|error| VocabularyError::Broken {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number that is not negative.
    pub fn number(&self, name: &str) -> Option<u64> {
        whole(self.0.get(name)?)
    }

    /// A flag.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// A list of texts.
    pub fn texts(&self, name: &str) -> Option<Vec<&str>> {
        let Value::List(list) = self.0.get(name)? else {
            return None;
        };
        list.iter()
            .map(|value| match value {
                Value::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// A list of numbers.
    pub fn numbers(&self, name: &str) -> Option<Vec<f64>> {
        let Value::List(list) = self.0.get(name)? else {
            return None;
        };
        list.iter()
            .map(|value| match value {
                Value::Unsigned(number) => Some(*number as f64),
                Value::Signed(number) => Some(*number as f64),
                Value::Float(number) => Some(*number),
                _ => None,
            })
            .collect()
    }

    /// Tokens the model can attend to.
    pub fn context_length(&self) -> Option<u64> {
        let architecture = self.text("general.architecture")?;
        self.number(&format!("{architecture}.context_length"))
    }
}

fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Unsigned(number) => Some(*number),
        Value::Signed(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}
