//! Reads a text as a person would who is told what to look for: what is escaped, disguised or written in letters of another
//! script becomes what it looks like. What comes out is for comparing alone, never for sending.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

/// Layers of escapes that are taken off. Gateways and editors add one or two.
const MOST_LAYERS: usize = 6;

/// The text with its escapes resolved, in small ASCII letters as far as its characters look like any, brackets that point as `<` and `>`.
pub fn folded(text: &str) -> String {
    let mut text = Cow::Borrowed(text);
    for _ in 0..MOST_LAYERS {
        match unescaped(&text) {
            Some(plainer) => text = Cow::Owned(plainer),
            None => break,
        }
    }
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_control() && !character.is_ascii_whitespace() {
            // It takes no room either.
        } else if character.is_ascii() {
            folded.push(ascii(character));
        } else {
            looks_like(character, &mut folded);
        }
    }
    folded
}

/// The letters of a folded text, and nothing between them.
pub fn letters(folded: &str) -> String {
    folded.chars().filter(char::is_ascii_lowercase).collect()
}

/// Whether there is nothing to resolve: no escape, and no character that could stand for another one but small letters, capitals and digits.
pub fn is_plain(text: &str) -> bool {
    let is_odd = |byte: u8| !byte.is_ascii() || b"&%\\".contains(&byte) || (byte < b' ' && !byte.is_ascii_whitespace());
    let escapes = text.bytes().any(is_odd);
    // A file in base64 ends in =, and is long.
    !escapes && !["=2", "=3", "=\n", "=\r"].iter().any(|code| text.contains(code))
}

/// Digits that stand for letters in a disguise (Unicode Technical Standard 39 has both as confusable).
fn ascii(character: char) -> char {
    match character {
        '0' => 'o',
        '1' | '|' => 'i',
        // As TS 39 has it, the capital I and the small l look alike; after lowering, i and l.
        'l' | 'L' => 'i',
        _ => character.to_ascii_lowercase(),
    }
}

fn looks_like(character: char, folded: &mut String) {
    let bracket = match character {
        '‹' | '«' | '\u{2329}' | '\u{3008}' | '《' | '⟨' | '⟪' | '❮' | '❰' | '⧼' | '˂' | '≺' | '⋖' | '≪' => {
            Some('<')
        }
        '›' | '»' | '\u{232a}' | '\u{3009}' | '》' | '⟩' | '⟫' | '❯' | '❱' | '⧽' | '˃' | '≻' | '⋗' | '≫' => {
            Some('>')
        }
        '⁄' | '∕' | '⧸' | '╱' => Some('/'),
        _ => None,
    };
    if let Some(bracket) = bracket {
        folded.push(bracket);
        return;
    }
    let decomposed: String = character
        .nfkd()
        .filter(|part| !is_combining_mark(*part) && !takes_no_room(*part))
        .flat_map(char::to_lowercase)
        .collect();
    for part in skeleton(&decomposed).filter(|part| !is_combining_mark(*part)) {
        match part {
            _ if part.is_whitespace() => folded.push(' '),
            _ if part.is_ascii() => folded.push(ascii(part)),
            // A dash of whatever length is no letter, though it looks like one of Japanese.
            _ if !character.is_alphanumeric() => folded.push(character),
            _ => folded.push(part),
        }
    }
}

/// Format characters and fillers (Unicode's Default_Ignorable_Code_Point).
fn takes_no_room(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// One layer of escapes less: character references of HTML, percent-encoding, backslashes as JSON and programming languages have
/// them, and quoted-printable. `None` where there is none.
fn unescaped(text: &str) -> Option<String> {
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

/// What a backslash before `text` makes of its beginning, and how many bytes of it.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_all_kinds_are_resolved() {
        for text in [
            "<private>",
            "<PRIVATE>",
            "&lt;private&gt;",
            "&LTprivate&GT",
            "&#60;private&#x3e;",
            "&amp;lt;private&amp;gt;",
            "%3Cprivate%3e",
            "%253Cprivate%253E",
            "\\u003cprivate\\u003E",
            "\\\\u003cprivate\\\\u003e",
            "\\u{3c}private\\u{3e}",
            "\\x3cprivate\\x3e",
            "\\074private\\076",
            "\\3cprivate\\3e",
            "\\<private\\>",
            "=3Cprivate=3E",
            "\\U0000003cprivate\\U0000003e",
            "<&#112;rivate>",
            "<\\u0070rivate>",
        ] {
            assert_eq!(folded(text), "<private>", "{text}");
        }
    }

    #[test]
    fn disguises_fall() {
        for text in [
            "＜private＞",
            "<ｐｒｉｖａｔｅ>",
            "<\u{200b}pri\u{ad}vate>",
            "‹private›",
            "<prıvate>",
            "<рrіvаtе>",
            "<p\u{301}rivate>",
            "<𝐩𝐫𝐢𝐯𝐚𝐭𝐞>",
            "<pr1vate>",
            "<pri\u{e0001}vate>",
            "⟨private⟩",
            "<prІvate>",
        ] {
            assert_eq!(folded(text), "<private>", "{text}");
        }
        for name in [
            "co-steer",
            "C0steer",
            "cоsteer",
            "ＣｏＳｔｅｅｒ",
            "c.o.s.t.e.e.r",
            "\\u0063osteer",
            "co%73teer",
        ] {
            assert_eq!(letters(&folded(name)), "costeer", "{name}");
        }
        assert_eq!(folded("我們 läuft"), "我們 iauft");
        assert!(is_plain("A simple text, <b>no more</b>.") && !is_plain("50 %") && !is_plain("Zoë"));
    }
}
