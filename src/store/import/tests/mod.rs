mod chats;
mod jsonl;
mod mail;
mod notes;
mod others;

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::store::{Document, Profile, ProfileName};

/// A folder that goes when the test does.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("costeer-import-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn put(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// What was read, in a form that can be compared: entries as they would be exported, errors as they would be shown, and where it was read
/// as FOLDER.
fn read(path: &Path, format: Format) -> Vec<String> {
    let format = Some(format);
    wanted(
        path,
        &Wanted {
            format,
            ..Wanted::default()
        },
    )
}

/// The same, with what is wanted.
fn wanted(path: &Path, wanted: &Wanted) -> Vec<String> {
    let mut reading = match open(path, wanted) {
        Ok(reading) => reading,
        Err(error) => return vec![shown(path, &error)],
    };
    let place = path.canonicalize().unwrap_or_default();
    let folder = if path.is_dir() {
        &place
    } else {
        place.parent().unwrap_or(&place)
    };
    let folder = folder.display().to_string();
    let lines = reading.by_ref().map(|entry| match entry {
        Ok(Entry::Profile(name, profile)) => profile_line(&name, &profile),
        Ok(Entry::Document(name, document)) => {
            let nobody = ProfileName::new("nobody").unwrap();
            document_line(&name.unwrap_or(nobody), &document).replace(&folder, "FOLDER")
        }
        Ok(Entry::Skipped(skip)) => format!("skipped: {skip}"),
        Err(error) => shown(path, &error),
    });
    let lines = lines.collect();
    if reading.next().is_none() && path.exists() {
        assert!(reading.read() <= reading.size().max(1), "bytes are counted once");
    }
    lines
}

fn shown(path: &Path, error: &ImportError) -> String {
    let place = path.display().to_string();
    let message = error.to_string().replace(&place, "PATH");
    if error.is_fatal() {
        format!("fatal: {message}")
    } else {
        message
    }
}

/// A document as [`read`] shows it.
fn document(key: &str, title: &str, text: &str, time: Option<&str>, source: &str) -> String {
    serde_json::json!({"type": "document", "profile": "nobody", "key": key, "title": title, "text": text, "time": time,
        "source": source, "tags": []})
    .to_string()
}

fn format_of(path: &Path) -> Option<Format> {
    let mut source = source::open(path, source::Counter::default()).unwrap();
    recognise::format(path, &mut source).unwrap()
}

#[test]
fn formats_are_told_by_ending_and_beginning() {
    let folder = Folder::new();
    for (name, contents, format) in [
        ("a.md", "", Format::Notes),
        ("a.MARKDOWN", "", Format::Notes),
        ("a.txt", "From Ada", Format::Notes),
        ("a.org", "", Format::Notes),
        ("a.jsonl", "", Format::Jsonl),
        ("a.ndjson", "", Format::Jsonl),
        ("a.csv", "", Format::Csv),
        ("a.mbox", "", Format::Mail),
        ("a.eml", "", Format::Mail),
        (
            "Inbox",
            "From ada@example.com Wed May  1 12:00:00 2024\nFrom: a@b\n",
            Format::Mail,
        ),
        ("conversations.json", "", Format::Json),
        ("chat.txt", "[01.05.24, 12:00:00] Ada: Hello\n", Format::Chats),
        ("a.zip", "", Format::Zip),
    ] {
        assert_eq!(format_of(&folder.put(name, contents)), Some(format), "{name}");
    }
    for (name, contents) in [("a.pdf", "%PDF"), ("letter", "From Ada\nwith love"), ("empty", "")] {
        assert_eq!(format_of(&folder.put(name, contents)), None, "{name}");
    }
    let unknown = wanted(&folder.0.join("a.pdf"), &Wanted::default());
    assert!(
        unknown[0].starts_with("fatal: ") && unknown[0].contains(".mbox"),
        "{unknown:?}"
    );
}

#[test]
fn what_is_not_there_cannot_be_opened() {
    let folder = Folder::new();
    for format in [Format::Jsonl, Format::Notes, Format::Mail, Format::Chats] {
        let read = read(&folder.0.join("none"), format);
        assert!(read.len() == 1 && read[0].starts_with("fatal: cannot read PATH: "));
    }
}
