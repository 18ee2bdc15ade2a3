//! Why a template refused a chat, without a word of the chat.

use minijinja::{Error, ErrorKind};

/// The reason, for people. What the template itself says is repeated where it says it in words of its own: words that are not in
/// its `source` may be the chat's.
pub fn refusal(error: &Error, source: &str) -> String {
    let line = error.line().map_or(String::new(), |line| format!(" in line {line}"));
    let kind = error.kind();
    let is_about_names = matches!(
        kind,
        ErrorKind::UnknownFilter | ErrorKind::UnknownFunction | ErrorKind::UnknownMethod | ErrorKind::UnknownTest
    );
    match error.detail() {
        Some(detail) if is_about_names => format!("{kind}{line}: {detail}"),
        Some(detail) if !detail.is_empty() && source.contains(detail) => format!("it says: {detail}"),
        _ => format!("{kind}{line}"),
    }
}
