use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::Shape;

/// Answers are the same as long as this is: the seed of OpenAI's API promises no more.
pub const FINGERPRINT: &str = concat!("costeer-", env!("CARGO_PKG_VERSION"));

/// What all parts of one answer share.
pub struct Envelope {
    shape: Shape,
    id: String,
    created: u64,
    model: String,
    fingerprinted: bool,
}

impl Envelope {
    /// With a fresh id and no fingerprint, as vLLM's streams have it.
    pub fn new(shape: Shape, model: &str) -> Self {
        Self {
            shape,
            id: format!("{}-{}", shape.prefix(), uuid::Uuid::new_v4().simple()),
            created: now(),
            model: model.to_owned(),
            fingerprinted: false,
        }
    }

    /// The same with [`FINGERPRINT`] before the choices, as OpenAI has it.
    pub fn fingerprinted(self) -> Self {
        Self {
            fingerprinted: true,
            ..self
        }
    }

    /// What kind of answer it is.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// A whole answer.
    pub fn whole(&self, choices: Vec<Value>) -> Value {
        self.around(self.shape.object(), choices)
    }

    /// A part of a stream.
    pub fn part(&self, choices: Vec<Value>) -> Value {
        self.around(self.shape.part_object(), choices)
    }

    fn around(&self, object: &str, choices: Vec<Value>) -> Value {
        let mut body = Map::new();
        let mut add = |key: &str, value: Value| body.insert(key.to_owned(), value);
        add("id", self.id.as_str().into());
        add("object", object.into());
        add("created", self.created.into());
        add("model", self.model.as_str().into());
        if self.fingerprinted {
            add("system_fingerprint", FINGERPRINT.into());
        }
        add("choices", choices.into());
        body.into()
    }
}

/// Seconds since 1970: what `created` holds.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(body: &Value) -> Vec<&str> {
        body.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn the_fingerprint_stands_before_the_choices() {
        let envelope = Envelope::new(Shape::Chat, "m");
        let part = envelope.part(Vec::new());
        assert_eq!(keys(&part), ["id", "object", "created", "model", "choices"]);
        assert_eq!(part["object"], "chat.completion.chunk");
        let whole = envelope.fingerprinted().whole(Vec::new());
        let expected = ["id", "object", "created", "model", "system_fingerprint", "choices"];
        assert_eq!(keys(&whole), expected);
        assert_eq!(whole["object"], "chat.completion");
        assert_eq!(part["id"], whole["id"]);
    }
}
