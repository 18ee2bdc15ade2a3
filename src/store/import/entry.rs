use super::Fault;
use crate::store::{Document, Profile, ProfileName};

/// Something to store.
pub enum Entry {
    /// A profile of that name.
    Profile(ProfileName, Profile),
    /// A document, of the named profile or of the one the user has named.
    Document(Option<ProfileName>, Document),
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

/// `text` as a title: on one line.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
