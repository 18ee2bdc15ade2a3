/// What stands between `open` and `close` at the beginning of `text`, blanks before it aside, and what comes after.
pub fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<(&'a str, &'a str)> {
    text.trim_ascii_start().strip_prefix(open)?.split_once(close)
}

/// What stands behind `open` at the beginning of `text`, blanks before it aside.
pub fn last<'a>(text: &'a str, open: &str) -> Option<&'a str> {
    text.trim_ascii_start().strip_prefix(open)
}

/// A value between two tags, without the line breaks that set it off.
pub fn value(text: &str) -> &str {
    let text = text.strip_prefix('\n').unwrap_or(text);
    text.strip_suffix('\n').unwrap_or(text)
}
