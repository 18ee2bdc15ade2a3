use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use walkdir::{DirEntry, WalkDir};
use zeroize::Zeroizing;

use super::entry::{checked, one_line};
use super::source::Counter;
use super::{Entry, Fault, ImportError, Place, front_matter};
use crate::store::{Document, PrivateText};

/// The notes of a folder in the order of their paths, or one note.
pub struct Notes {
    /// What the paths of the notes are relative to.
    root: PathBuf,
    found: std::vec::IntoIter<Result<Found, ImportError>>,
    size: u64,
    read: Counter,
}

struct Found {
    path: PathBuf,
    metadata: Metadata,
}

impl Notes {
    /// Looks for notes at `path`. They are read one by one later.
    pub fn open(path: &Path, read: Counter) -> Result<Self, ImportError> {
        let metadata = path.metadata().map_err(|error| ImportError::unreadable(path, error))?;
        let (root, found) = if metadata.is_dir() {
            fs::read_dir(path).map_err(|error| ImportError::unreadable(path, error))?;
            (path, walk(path))
        } else {
            (
                path.parent().unwrap_or(path),
                vec![Ok(Found {
                    path: path.to_owned(),
                    metadata,
                })],
            )
        };
        let size = found.iter().flatten().map(|found| found.metadata.len()).sum();
        Ok(Self {
            root: root.to_owned(),
            found: found.into_iter(),
            size,
            read,
        })
    }

    /// The size of all the notes, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The note, unless nothing is in it.
    fn note(&self, found: &Found) -> Result<Option<Document>, Fault> {
        if found.metadata.len() > Document::MOST_TEXT_BYTES as u64 {
            return Err(Fault::TooLong);
        }
        let bytes = Zeroizing::new(fs::read(&found.path).map_err(Fault::Unreadable)?);
        let text = std::str::from_utf8(&bytes).map_err(|_| Fault::NotUtf8)?;
        let note = note(text.strip_prefix('\u{FEFF}').unwrap_or(text), is_markdown(&found.path));
        if note.text.is_blank() {
            return Ok(None);
        }
        let title = if note.title.is_blank() {
            found
                .path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .as_ref()
                .into()
        } else {
            note.title
        };
        let place = self.relative(&found.path);
        let time = note
            .time
            .or_else(|| Timestamp::try_from(found.metadata.modified().ok()?).ok());
        checked(Document {
            key: place.as_str().into(),
            title,
            time,
            source: place.as_str().into(),
            ..note
        })
        .map(Some)
    }

    fn relative(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.root).unwrap_or(path);
        let names = relative.iter().map(|name| name.to_string_lossy());
        names.collect::<Vec<_>>().join("/")
    }
}

impl Iterator for Notes {
    type Item = Result<Entry, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let found = match self.found.next()? {
                Ok(found) => found,
                Err(error) => return Some(Err(error)),
            };
            let note = self.note(&found);
            self.read.add(found.metadata.len());
            match note {
                Ok(None) => {}
                Ok(Some(document)) => return Some(Ok(Entry::Document(None, document))),
                Err(fault) => return Some(Err(ImportError::entry(&found.path, Place::File, fault))),
            }
        }
    }
}

/// All notes in `folder`. A part of it that cannot be looked into is an error among them.
fn walk(folder: &Path) -> Vec<Result<Found, ImportError>> {
    let hidden = |entry: &DirEntry| entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
    let entries = WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| !hidden(entry));
    let found = entries.filter(|entry| {
        entry
            .as_ref()
            .map_or(true, |entry| entry.file_type().is_file() && is_note(entry.path()))
    });
    found
        .map(|entry| {
            let read = entry.and_then(|entry| {
                Ok(Found {
                    metadata: entry.metadata()?,
                    path: entry.into_path(),
                })
            });
            read.map_err(|error| {
                let path = error.path().unwrap_or(folder).to_owned();
                ImportError::entry(&path, Place::File, Fault::Unreadable(error.into()))
            })
        })
        .collect()
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().unwrap_or_default();
    endings.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

fn is_markdown(path: &Path) -> bool {
    has_ending(path, &["md", "markdown"])
}

fn is_note(path: &Path) -> bool {
    is_markdown(path) || has_ending(path, &["txt"])
}

/// The title, text, time and tags of a note.
fn note(text: &str, markdown: bool) -> Document {
    let (about, body) = front_matter::split(text);
    let heading = if markdown { heading(body) } else { None };
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

/// The first heading of Markdown's highest level, what is before it and what is after it.
fn heading(body: &str) -> Option<(String, &str, &str)> {
    let mut at = 0;
    let mut fence = None;
    for line in body.split_inclusive('\n') {
        let begun = at;
        at += line.len();
        // In a block of code, "# " begins a comment.
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, Some(_)) => fence = mark,
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => {
                let title = line
                    .strip_prefix("# ")
                    .map(|title| one_line(title.trim_end().trim_end_matches('#')));
                if let Some(title) = title.filter(|title| !title.is_empty()) {
                    return Some((title, body.get(..begun)?, body.get(at..)?));
                }
            }
            _ => {}
        }
    }
    None
}
