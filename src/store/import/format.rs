use std::io::BufRead;
use std::path::Path;

use super::mail::mbox;
use super::source::Source;
use super::whatsapp;

/// How something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An object of JSON a line.
    Jsonl,
    /// Values of JSON: records, or the conversations of an export.
    Json,
    /// A table with a header.
    Csv,
    /// A text: Markdown, Org, reStructuredText, HTML, or plain.
    Notes,
    /// Mails in one file (mbox), or one mail.
    Mail,
    /// The export of a chat.
    Chats,
    /// Packed files (ZIP).
    Zip,
}

impl Format {
    /// The format's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Notes => "notes",
            Self::Mail => "mail",
            Self::Chats => "chats",
            Self::Zip => "zip",
        }
    }

    /// What the file at `path` seems to be, by its name and how `source` begins. `None` where nothing tells.
    ///
    /// # Errors
    /// What reading says.
    pub fn of(path: &Path, source: &mut Source) -> std::io::Result<Option<Self>> {
        let ending = ending(path);
        Ok(match ending.as_str() {
            "txt" if whatsapp::begins(source.fill_buf()?) => Some(Self::Chats),
            "md" | "markdown" | "mdown" | "mkd" | "txt" | "text" | "org" | "rst" | "html" | "htm" | "xhtml" => {
                Some(Self::Notes)
            }
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "json" => Some(Self::Json),
            "csv" | "tsv" => Some(Self::Csv),
            "mbox" | "mbx" | "eml" | "emlx" => Some(Self::Mail),
            "zip" => Some(Self::Zip),
            _ if in_maildir(path) => Some(Self::Mail),
            // Thunderbird's folders have no ending, and Apple's only one on the folder around them.
            _ if mbox::begins(source.fill_buf()?) => Some(Self::Mail),
            _ => None,
        })
    }
}

/// How the file's name ends, in small letters.
pub fn ending(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
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
