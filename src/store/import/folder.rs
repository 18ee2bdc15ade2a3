//! What is in a folder.

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::format::ending;
use super::{Fault, ImportError, Place};

/// The files in `folder`, in the order of their paths, without hidden ones and without what links lead to. A part that cannot be looked
/// into is an error among them.
pub fn files(folder: &Path) -> impl Iterator<Item = Result<DirEntry, ImportError>> + Send + use<> {
    let root = folder.to_owned();
    let hidden = |entry: &DirEntry| entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
    let entries = WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(move |entry| !hidden(entry) && !unsent(entry));
    let files = entries.filter(|entry| entry.as_ref().map_or(true, |entry| entry.file_type().is_file()));
    files.map(move |entry| {
        entry.map_err(|error| {
            let path = error.path().unwrap_or(&root).to_owned();
            ImportError::entry(&path, Place::File, Fault::Unreadable(error.into()))
        })
    })
}

/// A Maildir's folder of mails that are still being written.
fn unsent(entry: &DirEntry) -> bool {
    entry.file_type().is_dir() && entry.file_name() == "tmp" && entry.path().with_file_name("cur").is_dir()
}

/// Whether an export of chats has put the file beside its conversations: about its user, or the same once more for a browser, with what the
/// model said.
pub fn is_by_product(path: &Path, exists: impl Fn(PathBuf) -> bool) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let conversations = name.starts_with("conversations") && name.ends_with(".json");
    matches!(ending(path).as_str(), "json" | "html")
        && !conversations
        && ["conversations.json", "conversations-000.json"]
            .iter()
            .any(|name| exists(path.with_file_name(name)))
}
