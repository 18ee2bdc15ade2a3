use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::PrivateText;

/// Something its owner has written or received: one entry of a profile's history.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Document {
    /// Its name within its profile: importing a document with the same key replaces it. Where it is empty, a hash of the other fields
    /// is the key, so that importing the same document again changes nothing. A key that begins with [`Document::FILE`] is the place of a
    /// file; a copy of that file elsewhere is the same document.
    pub key: PrivateText,
    /// One line; may be empty.
    pub title: PrivateText,
    /// The text.
    pub text: PrivateText,
    /// When it was written; `None` where that is not known. RFC 3339 in JSON.
    #[serde(with = "rfc3339", skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// Where it came from: a file's path, a mailbox, an application.
    pub source: PrivateText,
    /// Words to find it by.
    pub tags: Vec<PrivateText>,
}

impl Document {
    /// The longest text, in bytes.
    pub const MOST_TEXT_BYTES: usize = 4 << 20;
    /// What the key of a file begins with. Its place follows, with slashes between the names.
    pub const FILE: &str = "file:";

    /// SHA-256 of what a copy of the file shares with it, in hexadecimal: the file's name, title, text and tags. Where and when the copy
    /// was made is left out.
    pub fn copy_hash(&self) -> String {
        let key = self.key.as_private_str();
        self.hash_under(key.rsplit('/').next().unwrap_or(key))
    }

    /// The same for a record of a file as the first version knew it: by its id, without the file. `None` for anything else.
    pub fn former_copy_hash(&self) -> Option<String> {
        let (_, name) = self.key.as_private_str().rsplit_once('/')?;
        let (_, id) = name.split_once('#')?;
        let id = id.replace("%2F", "/").replace("%25", "%");
        Some(self.hash_under(id.rsplit('/').next().unwrap_or(&id)))
    }

    fn hash_under(&self, name: &str) -> String {
        let texts = [name, self.title.as_private_str(), self.text.as_private_str()];
        hash(
            texts
                .into_iter()
                .chain(self.tags.iter().map(PrivateText::as_private_str)),
        )
    }

    /// SHA-256 of all but the key, in hexadecimal.
    pub fn content_hash(&self) -> String {
        // No finer than the store keeps it, so that a document that is exported and imported again has the same hash.
        let time = self.time.map(|time| time.as_microsecond().to_string());
        let texts = [
            self.title.as_private_str(),
            self.text.as_private_str(),
            self.source.as_private_str(),
            time.as_deref().unwrap_or_default(),
        ];
        hash(
            texts
                .into_iter()
                .chain(self.tags.iter().map(PrivateText::as_private_str)),
        )
    }
}

/// SHA-256 of `parts`. Each is preceded by its length, so that moving a letter from one part to the next gives another hash.
fn hash<'t>(parts: impl Iterator<Item = &'t str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

/// `Option<Timestamp>` as RFC 3339 text, or null.
mod rfc3339 {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Timestamp};

    pub fn serialize<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        time.map(|time| time.to_string()).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let time = text.map(|text| {
            text.parse()
                .map_err(|_| serde::de::Error::custom("time is not in the form of RFC 3339"))
        });
        time.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_store_does_not_keep_makes_no_difference() {
        let at = |time: &str| {
            let document = Document {
                time: time.parse().ok(),
                ..Document::default()
            };
            document.content_hash()
        };
        let kept = at("2024-02-29T12:00:00.123456Z");
        assert_eq!(at("2024-02-29T12:00:00.123456789Z"), kept);
        assert_ne!(at("2024-02-29T12:00:00.123457Z"), kept);
    }
}
