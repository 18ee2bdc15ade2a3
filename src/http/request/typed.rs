//! Values that are read into types, with errors that say where in the value they are.
//!
//! The types are our own, because a field that is left out unread would be an answer that does not heed it, and because an error must say where
//! it is in an alternative, and quote nothing.

use std::fmt;

use super::RequestError;
use crate::http::ApiError;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads `value`, which stands at `at` in the body; `at` is empty for the body itself.
///
/// # Errors
/// 400 naming the place, such as `input[3].content[1].text`, and quoting nothing.
pub fn typed<'de, T: Deserialize<'de>>(at: &str, value: impl Deserializer<'de>) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let place = match error.path().to_string().as_str() {
            "." => at.to_owned(),
            path => beneath(at, path),
        };
        let said = error.into_inner().to_string();
        match missing(&said) {
            Some(field) => ApiError::invalid(beneath(&place, field), "it is missing"),
            None => ApiError::invalid(place, complaint(&said)),
        }
    })
}

fn beneath(at: &str, path: &str) -> String {
    let separator = if at.is_empty() || path.starts_with('[') {
        ""
    } else {
        "."
    };
    format!("{at}{separator}{path}")
}

/// The field that serde misses. Its place is that of the object without it.
fn missing(said: &str) -> Option<&str> {
    said.strip_prefix("missing field `")?.split('`').next()
}

/// For a value that is not what a field must be. Types of ours say so by it.
pub fn wanted<E: Error>(what: impl fmt::Display) -> E {
    E::custom(format_args!("another value, expected {what}"))
}

/// What serde says was wanted. What it found is left out: it may be somebody's text.
fn complaint(said: &str) -> String {
    match said.rsplit_once(", expected ") {
        Some((_, "a boolean")) => "it must be true or false".to_owned(),
        Some((_, "a sequence")) => "it must be a list".to_owned(),
        Some((_, "a map")) => "it must be an object".to_owned(),
        Some((_, wanted)) if wanted.starts_with("struct ") => "it must be an object".to_owned(),
        Some((_, wanted)) => format!("it must be {wanted}"),
        None => "it has not the form that it must have".to_owned(),
    }
}

/// What a message, an instruction or a tool's result says: a text, or parts. Other fields hold a string or a list of them, too.
pub enum Content<P> {
    /// In one.
    Text(String),
    /// In parts.
    Parts(Vec<P>),
}

impl<'de, P: Deserialize<'de>> Deserialize<'de> for Content<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<P>(std::marker::PhantomData<P>);

        impl<'de, P: Deserialize<'de>> Visitor<'de> for Either<P> {
            type Value = Content<P>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or a list")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Content::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, parts: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(parts)).map(Content::Parts)
            }
        }

        deserializer.deserialize_any(Either(std::marker::PhantomData))
    }
}

/// A field for types of objects alone: without it, serde takes a list of an object's values for the object.
pub type Object = ();

/// A part of a text. Other kinds have other fields, which are not read.
#[derive(Deserialize)]
pub struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    refusal: Option<String>,
    #[serde(flatten)]
    _object: Object,
}

impl Content<Part> {
    /// All of it as one text. `at` is where it stands.
    ///
    /// # Errors
    /// [`RequestError::Unsteerable`] naming the first part that is no text.
    pub fn text(self, at: &str) -> Result<String, RequestError> {
        let parts = match self {
            Self::Text(text) => return Ok(text),
            Self::Parts(parts) => parts,
        };
        let mut all = String::new();
        for (index, part) in parts.into_iter().enumerate() {
            let at = format!("{at}[{index}]");
            let text = match part.kind.as_str() {
                "input_text" | "output_text" | "text" | "reasoning_text" | "summary_text" => part.text,
                // Clients echo an answer so.
                "refusal" => part.refusal.or_else(|| Some(String::new())),
                _ => return Err(not_text(at)),
            };
            let missing = || ApiError::invalid(format!("{at}.text"), "a part of this type needs it");
            all.push_str(&text.ok_or_else(missing)?);
        }
        Ok(all)
    }
}

/// For a part that steering cannot read.
pub fn not_text(at: String) -> RequestError {
    RequestError::Unsteerable {
        field: at,
        reason: "only text parts are supported",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_names_its_place_and_quotes_nothing() {
        let wrong = json!([{"type": "text", "text": "a"}, {"type": "text", "text": ["secret, expected b"]}]);
        let error = typed::<Content<Part>>("input[3].content", &wrong).err().unwrap().body();
        assert_eq!(error["error"]["param"], "input[3].content[1].text");
        assert_eq!(error["error"]["message"], "it must be a string");
        let secret = typed::<Content<Part>>("input", &json!([{"type": "text", "text": {}}, "a secret"]));
        assert!(!secret.err().unwrap().body().to_string().contains("secret"));
        let missing = typed::<Content<Part>>("input", &json!([{}])).err().unwrap().body();
        assert_eq!(missing["error"]["param"], "input[0].type");
    }

    #[test]
    fn parts_are_one_text_and_pictures_are_none() {
        let said = |value| {
            let content: Content<Part> = typed("input", &value).unwrap();
            content.text("input").map_err(|error| match error {
                RequestError::Unsteerable { field, .. } => field,
                RequestError::Invalid(error) => error.body().to_string(),
            })
        };
        assert_eq!(said(json!("Hi")), Ok("Hi".into()));
        let parts = json!([{"type": "input_text", "text": "Hi "}, {"type": "refusal", "refusal": "no"}]);
        assert_eq!(said(parts), Ok("Hi no".into()));
        assert_eq!(said(json!([{"type": "input_image"}])), Err("input[0]".into()));
    }
}
