use std::fmt;

use super::Fault;
use crate::store::{Document, Profile, ProfileName};

/// Something that was read.
pub enum Entry {
    /// A profile of that name.
    Profile(ProfileName, Profile),
    /// A document, of the named profile or of the one the user has named.
    Document(Option<ProfileName>, Document),
    /// Nothing to store.
    Skipped(Skip),
}

/// Why there is nothing to store, though nothing is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skip {
    /// There is no text in it, or only what others have written.
    NoText,
    /// It is from somebody else than those whose words were asked for.
    Foreign,
    /// A file that is none of the known kinds, with how its name ends.
    Kind(String),
}

impl fmt::Display for Skip {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoText => formatter.write_str("without text"),
            Self::Foreign => formatter.write_str("from others"),
            Self::Kind(ending) if ending.is_empty() => formatter.write_str("without ending"),
            Self::Kind(ending) => write!(formatter, ".{ending}"),
        }
    }
}

/// `document`, if it can be stored.
pub fn checked(document: Document) -> Result<Document, Fault> {
    if document.text.is_blank() {
        Err(Fault::Blank)
    } else if document.text.as_private_str().len() > Document::MOST_TEXT_BYTES {
        Err(Fault::TooLong)
    } else {
        Ok(document)
    }
}

/// `document` as an entry; one without text is skipped.
pub fn entry(document: Document) -> Result<Entry, Fault> {
    match checked(document) {
        Err(Fault::Blank) => Ok(Entry::Skipped(Skip::NoText)),
        checked => checked.map(|document| Entry::Document(None, document)),
    }
}

/// `text` as a title: on one line.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
