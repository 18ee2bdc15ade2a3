//! Where a file is, in words that stay the same however the import was called.

use std::path::{Component, Path};

use unicode_normalization::UnicodeNormalization;

use crate::store::{Document, PrivateText};

/// The key of the file at `path`, which is absolute.
pub fn key(path: &Path) -> PrivateText {
    format!("{}{}", Document::FILE, written(path)).into()
}

/// The key of the record `id` of that file.
pub fn key_of(path: &Path, id: &str) -> PrivateText {
    let id: String = id.nfc().collect();
    format!(
        "{}{}#{}",
        Document::FILE,
        written(path),
        id.replace('%', "%25").replace('/', "%2F")
    )
    .into()
}

/// A name that others have given, as a key. What looks like a file's place is none: nobody else may replace what a file of the owner's
/// has brought.
pub fn given(id: &str) -> PrivateText {
    if id.starts_with(Document::FILE) {
        return PrivateText::default();
    }
    id.into()
}

/// `path` with slashes and composed letters. Bytes that are no text are written as `%` and two digits, as `%` itself is.
fn written(path: &Path) -> String {
    let mut text = String::new();
    for component in path.components() {
        match component {
            Component::RootDir => {}
            Component::Prefix(prefix) => text.push_str(&prefix.as_os_str().to_string_lossy()),
            other => {
                text.push('/');
                for chunk in other.as_os_str().as_encoded_bytes().utf8_chunks() {
                    text.extend(chunk.valid().replace('%', "%25").nfc());
                    text.extend(chunk.invalid().iter().map(|byte| format!("%{byte:02X}")));
                }
            }
        }
    }
    text
}

/// The name of the file at `path` without its ending, as a title. What is no UTF-8 is Latin-1 most often.
pub fn title(path: &Path) -> String {
    readable(path.file_stem().unwrap_or_default().as_encoded_bytes())
}

/// `path` as text for the source of a document.
pub fn source(path: &Path) -> PrivateText {
    readable(path.as_os_str().as_encoded_bytes()).into()
}

fn readable(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(name) => name.nfc().collect(),
        Err(_) => encoding_rs::WINDOWS_1252
            .decode_without_bom_handling(name)
            .0
            .into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_has_one_key() {
        let key = |path: &str| key(Path::new(path)).as_private_str().to_owned();
        assert_eq!(key("/a/b.md"), "file:/a/b.md");
        assert_eq!(key("/a/Zu\u{308}rich.md"), key("/a/Zürich.md"));
        assert_ne!(key("/a/%FC.md"), key("/a/\u{fc}.md"));
        assert_eq!(
            key_of(Path::new("/a.jsonl"), "x/1").as_private_str(),
            "file:/a.jsonl#x%2F1"
        );
    }

    #[cfg(unix)]
    #[test]
    fn names_in_other_encodings_differ() {
        use std::os::unix::ffi::OsStrExt;
        let path = |name: &'static [u8]| Path::new(std::ffi::OsStr::from_bytes(name));
        let one = path(b"/Z\xFCrich.md");
        assert!(key(one) != key(path(b"/Z\xF6rich.md")) && key(one) != key(Path::new("/Z%FCrich.md")));
        assert_eq!(title(one), "Zürich");
    }
}
