//! Values as a file and the environment write them.

use std::net::SocketAddr;
use std::time::Duration;

use secrecy::SecretString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

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

/// A list, or one text with commas (variables are text).
pub fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    let trimmed = |text: &str| text.trim().trim_end_matches('/').to_owned();
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(text) => text.split(',').map(trimmed).collect(),
        OneOrMany::Many(texts) => texts.iter().map(|text| trimmed(text)).collect(),
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
