use std::io::BufRead;
use std::path::Path;

use super::format::ending;
use super::mail::mbox;
use super::source::Source;
use super::{Format, whatsapp};

/// What the file at `path` seems to be, by its name and how `source` begins. `None` where nothing tells.
///
/// # Errors
/// What reading says.
pub fn format(path: &Path, source: &mut Source) -> std::io::Result<Option<Format>> {
    let ending = ending(path);
    Ok(match ending.as_str() {
        "txt" if whatsapp::begins(source.fill_buf()?) => Some(Format::Chats),
        "md" | "markdown" | "mdown" | "mkd" | "txt" | "text" | "org" | "rst" | "html" | "htm" | "xhtml" => {
            Some(Format::Notes)
        }
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        "json" => Some(Format::Json),
        "csv" | "tsv" => Some(Format::Csv),
        "mbox" | "mbx" | "eml" | "emlx" => Some(Format::Mail),
        "zip" => Some(Format::Zip),
        _ if in_maildir(path) => Some(Format::Mail),
        // Thunderbird's folders have no ending, and Apple's only one on the folder around them.
        _ if mbox::begins(source.fill_buf()?) => Some(Format::Mail),
        _ => None,
    })
}

/// Whether `path` is a message of a Maildir, which has them in folders of these names.
fn in_maildir(path: &Path) -> bool {
    let folder = path.parent();
    let named = folder
        .and_then(Path::file_name)
        .is_some_and(|name| name == "cur" || name == "new");
    named
        && folder
            .and_then(Path::parent)
            .is_some_and(|maildir| maildir.join("cur").is_dir() && maildir.join("new").is_dir())
}
