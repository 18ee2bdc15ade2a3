//! Values as a file and the environment write them.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::vocabulary::TemplateOptions;

pub fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

pub fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(|text| Some(text).filter(|text| !text.is_empty()))
}

/// A number; 0 is none.
pub fn optional_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    usize::deserialize(deserializer).map(|count| Some(count).filter(|count| *count > 0))
}

pub fn optional_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    optional(deserializer).map(|text| text.map(SecretString::from))
}

pub fn optional_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = optional(deserializer)?;
    let address = text.map(|text| {
        text.parse()
            .map_err(|_| D::Error::custom(format!("\"{text}\" is no address and port")))
    });
    address.transpose()
}

pub fn none_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let mut texts = one_or_many(deserializer)?;
    texts.retain(|text| !text.is_empty());
    Ok(texts)
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// A list, or one text with commas (variables are text).
pub fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let trimmed = |text: &str| text.trim().trim_end_matches('/').to_owned();
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(text) => text.split(',').map(trimmed).collect(),
        OneOrMany::Many(texts) => texts.iter().map(|text| trimmed(text)).collect(),
    })
}

/// Headers as `Name: value`: a list, or one text with a line for each. None of their values is shown anywhere.
pub fn header_lines<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HeaderMap, D::Error> {
    let lines = match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(text) => text.lines().map(str::to_owned).collect(),
        OneOrMany::Many(lines) => lines,
    };
    let mut headers = HeaderMap::new();
    for line in lines.iter().filter(|line| !line.trim().is_empty()) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let name = HeaderName::from_bytes(name.trim().as_bytes());
        let value = HeaderValue::from_str(value.trim())
            .ok()
            .filter(|value| !value.is_empty());
        let Some((name, mut value)) = name.ok().zip(value) else {
            return Err(D::Error::custom(
                "each of upstream.headers must be a name, a colon and a value",
            ));
        };
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

/// A JSON object as text; empty without fields.
pub fn json_object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    parsed(&String::deserialize(deserializer)?)
}

/// A table, or one text with the same as JSON (variables are text).
pub fn template_options<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TemplateOptions, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Table(Map<String, Value>),
    }
    match Written::deserialize(deserializer)? {
        Written::Text(text) => parsed(&text).map(TemplateOptions),
        Written::Table(table) => Ok(TemplateOptions(table)),
    }
}

/// What it says may be a secret, so only the place of an error is named.
fn parsed<E: serde::de::Error>(text: &str) -> Result<Map<String, Value>, E> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        E::custom(format!(
            "it must be a JSON object in quotes (line {line}, column {column})"
        ))
    })
}

/// "adaptive", or a number in digits or in quotes (variables are text).
pub fn adaptive_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "adaptive" {
        return Ok(None);
    }
    let number = text.parse().map(Some);
    number.map_err(|_| D::Error::custom(format!("\"{text}\" is neither \"adaptive\" nor a number of positions")))
}
