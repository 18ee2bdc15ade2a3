mod chats;
mod jsonl;
mod mail;
mod notes;

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

/// What was read, in a form that can be compared: entries as they would be exported, errors as they would be shown.
fn read(path: &Path, format: Format) -> Vec<String> {
    let mut reading = match open(path, format) {
        Ok(reading) => reading,
        Err(error) => return vec![shown(path, &error)],
    };
    let lines = reading.by_ref().map(|entry| match entry {
        Ok(Entry::Profile(name, profile)) => profile_line(&name, &profile),
        Ok(Entry::Document(name, document)) => {
            let nobody = ProfileName::new("nobody").unwrap();
            document_line(&name.unwrap_or(nobody), &document)
        }
        Err(error) => shown(path, &error),
    });
    let lines = lines.collect();
    assert_eq!(reading.read(), reading.size(), "bytes are counted");
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

#[test]
fn formats_are_told_by_ending_and_beginning() {
    let folder = Folder::new();
    assert_eq!(Format::of(&folder.0).unwrap(), Format::Notes);
    for (name, contents, format) in [
        ("a.md", "", Format::Notes),
        ("a.MARKDOWN", "", Format::Notes),
        ("a.txt", "From Ada", Format::Notes),
        ("a.jsonl", "", Format::Jsonl),
        ("a.ndjson", "", Format::Jsonl),
        ("a.mbox", "", Format::Mail),
        ("Inbox", "From ada@example.com", Format::Mail),
        ("conversations.json", "", Format::Chats),
    ] {
        assert_eq!(Format::of(&folder.put(name, contents)).unwrap(), format, "{name}");
    }
    let unknown = Format::of(&folder.put("a.pdf", "%PDF")).unwrap_err();
    assert!(unknown.is_fatal() && unknown.to_string().contains("a.pdf") && unknown.to_string().contains(".mbox"));
    let missing = Format::of(&folder.0.join("none.md")).unwrap_err();
    assert!(missing.is_fatal() && missing.to_string().starts_with("cannot read "));
}

#[test]
fn what_is_not_there_cannot_be_opened() {
    let folder = Folder::new();
    for format in [Format::Jsonl, Format::Notes, Format::Mail, Format::Chats] {
        let read = read(&folder.0.join("none"), format);
        assert!(read.len() == 1 && read[0].starts_with("fatal: cannot read PATH: "));
        if format != Format::Notes {
            // A folder is no file, whenever that is noticed.
            assert!(open(&folder.0, format).map_or(true, |mut reading| reading.all(|entry| entry.is_err())));
        }
    }
}
