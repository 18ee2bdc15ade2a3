use std::path::Path;

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
}

/// How the file's name ends, in small letters.
pub fn ending(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}
