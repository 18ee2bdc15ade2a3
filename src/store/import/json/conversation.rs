use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::store::import::entry::{entry, one_line};
use crate::store::import::{Entry, Fault, Wanted};
use crate::store::{Document, PrivateText};

/// A message of a conversation.
pub struct Message {
    /// Whether the owner has written it.
    pub own: bool,
    /// Who has, as it stands there.
    pub who: String,
    /// The text.
    pub text: Zeroizing<String>,
}

/// What is said of a conversation beside its messages.
pub struct About {
    /// Its key; empty where it has none.
    pub key: PrivateText,
    /// Its title.
    pub title: String,
    /// When it began.
    pub time: Option<Timestamp>,
    /// The program that it is from.
    pub source: &'static str,
}

/// What the owner has written in a conversation; what everybody has, with names, where that is wanted.
pub fn document(about: About, messages: &[Message], wanted: &Wanted) -> Result<Entry, Fault> {
    let said = messages.iter().filter(|message| !message.text.trim().is_empty());
    let text: Vec<Zeroizing<String>> = if wanted.everyone {
        said.map(|message| Zeroizing::new(format!("{}: {}", message.who, message.text.trim())))
            .collect()
    } else {
        said.filter(|message| message.own)
            .map(|message| Zeroizing::new(message.text.trim().to_owned()))
            .collect()
    };
    let text: Vec<&str> = text.iter().map(|message| message.as_str()).collect();
    entry(Document {
        key: about.key,
        title: one_line(&about.title).into(),
        text: text.join("\n\n").into(),
        time: about.time,
        source: about.source.into(),
        tags: Vec::new(),
    })
}
