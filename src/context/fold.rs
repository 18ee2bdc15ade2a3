//! Reads a text as a person would who looks for something in it. Escapes are resolved, and letters of other scripts become the
//! letters that they look like. The result is for comparing only and is never sent.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

use super::unescape::unescaped;

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
            // Control characters take no room either.
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

/// Whether there is nothing to resolve: no escape, no control character, and nothing outside ASCII.
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
        // A capital I looks like a small l (TS 39). In small letters these are i and l.
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
            // TS 39 takes dashes for a Japanese letter that looks the same. They stay dashes.
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
