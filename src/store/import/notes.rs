use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use super::entry::entry;
use super::file::{Entries, File};
use super::format::ending;
use super::{Entry, Fault, Place, encoding, front_matter, heading, html, place};
use crate::store::{Document, PrivateText};

/// The note in `file`.
pub fn entries(mut file: File) -> Entries {
    let read = note(&mut file).map_err(|fault| file.error(Place::File, fault));
    Box::new(std::iter::once(read))
}

fn note(file: &mut File) -> Result<Entry, Fault> {
    if file.size > Document::MOST_TEXT_BYTES as u64 * 2 {
        return Err(Fault::TooLong);
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(file.size as usize));
    file.source.read_to_end(&mut bytes).map_err(Fault::Unreadable)?;
    let text = encoding::decode(&bytes).ok_or(Fault::NotText)?;
    let note = read(&text, Markup::of(&file.path));
    let title = if note.title.is_blank() {
        place::title(&file.path).into()
    } else {
        note.title
    };
    entry(Document {
        key: place::key(&file.place),
        title,
        time: note.time.or(file.modified),
        source: place::source(&file.place),
        ..note
    })
}

/// How a note is marked up.
#[derive(Clone, Copy, PartialEq)]
enum Markup {
    Markdown,
    Org,
    ReStructured,
    Html,
    Plain,
}

impl Markup {
    fn of(path: &Path) -> Self {
        match ending(path).as_str() {
            "md" | "markdown" | "mdown" | "mkd" => Self::Markdown,
            "org" => Self::Org,
            "rst" => Self::ReStructured,
            "html" | "htm" | "xhtml" => Self::Html,
            _ => Self::Plain,
        }
    }
}

/// The title, text, time and tags of a note.
fn read(text: &str, markup: Markup) -> Document {
    if markup == Markup::Html {
        let page = html::read(text);
        return Document {
            title: page.title.unwrap_or_default().into(),
            text: page.text.trim().into(),
            ..Document::default()
        };
    }
    if markup == Markup::Org {
        return heading::org(text);
    }
    let (about, body) = front_matter::split(text);
    let heading = match markup {
        Markup::Markdown => heading::markdown(body),
        Markup::ReStructured => heading::restructured(body),
        _ => None,
    };
    let (title, text) = match heading {
        Some((title, before, after)) => (Some(title), PrivateText::from([before, after].concat().trim())),
        None => (None, body.trim().into()),
    };
    Document {
        title: title.or(about.title).unwrap_or_default().into(),
        // A heading with nothing under it is the text, too.
        text: if text.is_blank() { body.trim().into() } else { text },
        time: about.date,
        tags: about.tags.into_iter().map(PrivateText::from).collect(),
        ..Document::default()
    }
}
