use std::borrow::Cow;

use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// `word` without what people leave out when they are in a hurry: the marks on Latin, Greek and Cyrillic letters. On
/// other letters marks are vowels, and stay.
pub fn fold(word: &str) -> Cow<'_, str> {
    if word.is_ascii() {
        return word.into();
    }
    let mut folded = String::with_capacity(word.len());
    let mut on_alphabet = false;
    for character in word.chars() {
        if let Some(spelt) = spelt_out(character) {
            folded.push_str(spelt);
            on_alphabet = true;
        } else if is_combining_mark(character) {
            if !on_alphabet {
                folded.push(character);
            }
        } else {
            let mut base = character;
            let mut first = true;
            decompose_canonical(character, |part| {
                if std::mem::take(&mut first) {
                    base = part;
                }
            });
            on_alphabet = is_alphabet(base);
            folded.push(if on_alphabet { base } else { character });
        }
    }
    folded.into()
}

/// Letters that Unicode does not take apart but people do.
fn spelt_out(character: char) -> Option<&'static str> {
    Some(match character {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' => "d",
        'ı' => "i",
        'ς' => "σ",
        _ => return None,
    })
}

/// Letters of the scripts whose marks may go; and digits, which may be in a frame.
fn is_alphabet(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || matches!(u32::from(character),
            0xC0..=0x2AF | 0x370..=0x52F | 0x1C80..=0x1C8F | 0x1D00..=0x1DBF | 0x1E00..=0x1FFF | 0x2C60..=0x2C7F
            | 0xA640..=0xA69F | 0xA720..=0xA7FF | 0xAB30..=0xAB6F)
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn marks_go_where_they_are_accents_only() {
        assert_eq!(fold("crème brûlée"), "creme brulee");
        assert_eq!(fold("łódź straße œuvre smørrebrød"), "lodz strasse oeuvre smorrebrod");
        assert_eq!(fold("άνθρωπος ёлка"), "ανθρωποσ елка");
        assert_eq!(fold("e\u{301}i\u{307}1\u{20E3}"), "ei1");
        for vowels in ["हिन्दी", "தமிழ்", "שָׁלוֹם", "한국어"] {
            assert_eq!(fold(vowels), vowels);
        }
    }
}
