//! Escapes, as they are written in HTML, addresses, programming languages and mail.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Takes one layer of escapes off: HTML's character references, percent-encoding, the backslashes of JSON and programming languages,
/// and quoted-printable. `None` where there is nothing to take off.
pub fn unescaped(text: &str) -> Option<String> {
    let has = |bytes: &[u8]| text.bytes().any(|byte| bytes.contains(&byte));
    if !has(b"&%\\=") {
        return None;
    }
    let mut plainer = Cow::Borrowed(text);
    if has(b"&") {
        plainer = Cow::Owned(htmlize::unescape(&*plainer).into_owned());
    }
    if has(b"%") {
        let decoded = percent_decode_str(&plainer).decode_utf8_lossy().into_owned();
        plainer = Cow::Owned(decoded);
    }
    if has(b"\\") {
        plainer = Cow::Owned(without_backslashes(&plainer));
    }
    if has(b"=") {
        plainer = Cow::Owned(without_quoted_printable(&plainer));
    }
    (plainer != text).then(|| plainer.into_owned())
}

fn without_backslashes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let (character, used) = backslashed(after);
        match character {
            Some(character) => plain.push(character),
            None => plain.push('\\'),
        }
        rest = after.get(used..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// The character that a backslash before `text` gives with the beginning of `text`, and how many bytes of it are used.
fn backslashed(text: &str) -> (Option<char>, usize) {
    let number = |from: usize, to: usize, radix: u32| {
        let digits = text.get(from..to)?;
        let digits = digits
            .bytes()
            .all(|byte| char::from(byte).is_digit(radix))
            .then_some(digits)?;
        u32::from_str_radix(digits, radix).ok().and_then(char::from_u32)
    };
    let braced = || {
        let end = text.find('}')?;
        Some((Some(number(2, end, 16)?), end + 1))
    };
    let first = text.chars().next();
    let found = match first {
        Some('u') if text.get(1..2) == Some("{") => braced(),
        Some('u') => number(1, 5, 16).map(|character| (Some(character), 5)),
        Some('U') => number(1, 9, 16).map(|character| (Some(character), 9)),
        Some('x') => number(1, 3, 16).map(|character| (Some(character), 3)),
        // Octal as in C, three digits; then hexadecimal as in CSS, two.
        Some('0'..='7') => number(0, 3, 8)
            .map(|character| (Some(character), 3))
            .or_else(|| number(0, 2, 16).map(|character| (Some(character), 2))),
        Some(mark) if mark.is_ascii_punctuation() => Some((Some(mark), 1)),
        _ => None,
    };
    found.unwrap_or((None, 0))
}

/// RFC 2045, section 6.7, for the characters that a tag needs. Others are left: `a=3` is an equation.
fn without_quoted_printable(text: &str) -> String {
    let mut plain = text.to_owned();
    for (code, character) in [
        ("=3C", "<"),
        ("=3c", "<"),
        ("=3E", ">"),
        ("=3e", ">"),
        ("=2F", "/"),
        ("=2f", "/"),
        ("=20", " "),
        ("=\n", ""),
        ("=\r\n", ""),
    ] {
        if plain.contains(code) {
            plain = plain.replace(code, character);
        }
    }
    plain
}
