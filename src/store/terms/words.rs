use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use super::Language;
use super::fold::fold;

/// A word, in compatibility form and lower case.
#[derive(PartialEq, Eq, Hash)]
pub enum Word {
    /// From a script with spaces between words. Apostrophes inside are still there.
    Spaced(String),
    /// Two neighbouring characters, or a lonely one, of a script without them.
    Gram(String),
}

impl Word {
    /// The word as people write it in a hurry, where that differs.
    pub fn without_accents(&self) -> Option<Self> {
        match self {
            Self::Spaced(written) if !written.is_ascii() => Some(Self::Spaced(fold(written).into_owned())),
            Self::Spaced(_) | Self::Gram(_) => None,
        }
    }
}

/// The words of `text`, in order.
pub fn of(text: &str) -> impl Iterator<Item = Word> {
    let plain = plain(text);
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = plain.get(at..).filter(|rest| !rest.is_empty())?;
        let spaceless = rest.starts_with(is_spaceless);
        let length = rest
            .find(|character| is_spaceless(character) != spaceless)
            .unwrap_or(rest.len());
        at += length;
        let run = rest.get(..length)?;
        Some(if spaceless {
            grams(run)
        } else {
            run.unicode_words().flat_map(pieces).collect()
        })
    })
    .flatten()
}

/// `text` with one way to write every character: compatibility form, lower case, one apostrophe, nothing invisible.
pub fn plain(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let lower = text.nfkc().flat_map(char::to_lowercase);
    let visible = lower.filter(|character| !is_invisible(*character));
    visible.map(one_apostrophe).collect()
}

fn one_apostrophe(character: char) -> char {
    if matches!(character, '’' | '‘' | 'ʼ') {
        '\''
    } else {
        character
    }
}

/// A word without what an apostrophe ties to it. English possessives and short verbs ("Anna's", "she'll"), French and
/// Italian articles ("l'eau", "dell'arte") go; what else has one loses only the apostrophe ("don't", "O'Neill").
pub fn bare(written: &str, language: Option<Language>) -> Cow<'_, str> {
    if !written.contains('\'') {
        return written.into();
    }
    let mut parts: Vec<&str> = written.split('\'').filter(|part| !part.is_empty()).collect();
    if language.is_some_and(Language::parts_endings) {
        parts.truncate(1);
    }
    if let [article, _, ..] = parts[..]
        && ELIDED.contains(&article)
    {
        parts.remove(0);
    }
    if let [_, .., clitic] = parts[..]
        && CLITICS.contains(&clitic)
    {
        parts.pop();
    }
    parts.concat().into()
}

const ELIDED: [&str; 33] = [
    "l", "d", "j", "m", "t", "s", "c", "n", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "un", "dell", "all", "nell",
    "dall", "sull", "coll", "quell", "bell", "sant", "gl", "v", "dev", "cos", "quest", "tutt", "senz", "mezz", "anch",
    "com",
];

const CLITICS: [&str; 6] = ["s", "ll", "re", "ve", "d", "m"];

/// Overlapping pairs of characters; one alone is itself.
fn grams(run: &str) -> Vec<Word> {
    let characters: Vec<char> = run.chars().collect();
    let width = characters.len().min(2);
    characters
        .windows(width)
        .map(|pair| Word::Gram(pair.iter().collect()))
        .collect()
}

/// Unicode keeps together what has a full stop, colon or low line in it ("example.com"); people search for the parts.
fn pieces(segment: &str) -> Vec<Word> {
    let mut pieces = vec![String::new()];
    for (at, character) in segment.char_indices() {
        let rest = segment.get(at + character.len_utf8()..).unwrap_or_default();
        let Some(piece) = pieces.last_mut() else { break };
        if character == '\'' || character.is_alphanumeric() || is_combining_mark(character) {
            piece.push(character);
        } else if !(joins(character) || groups(piece, character, rest)) {
            pieces.push(String::new());
        }
    }
    let spoken = pieces.into_iter().filter(|piece| piece.contains(char::is_alphanumeric));
    spoken.map(Word::Spaced).collect()
}

/// The dot of Catalan "col·lecció" and the quotation mark of Hebrew abbreviations.
fn joins(character: char) -> bool {
    matches!(character, '·' | '‧' | '"' | '״')
}

/// Whether a mark stands before a group of three digits of one number: 1,000 and 1.000 are both 1000, while 3.14 and
/// 24.12.2024 have parts.
fn groups(before: &str, mark: char, after: &str) -> bool {
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    matches!(mark, ',' | '.') && digits == 3 && !before.is_empty() && before.bytes().all(|byte| byte.is_ascii_digit())
}

/// What is there for the looks of the text, or to direct it.
fn is_invisible(character: char) -> bool {
    matches!(u32::from(character),
        0xAD | 0x34F | 0x61C | 0x180B..=0x180F | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xFE00..=0xFE0F
        | 0xFEFF | 0xE0000..=0xE0FFF)
}

/// Letters and marks of Thai, Lao, Myanmar, Khmer, Hangul, the Japanese and Chinese scripts.
fn is_spaceless(character: char) -> bool {
    let block = matches!(u32::from(character),
        0xE00..=0xEFF | 0x1000..=0x109F | 0x1100..=0x11FF | 0x1780..=0x17FF | 0x2E80..=0x2FDF | 0x3005..=0x3007
        | 0x3021..=0x3029 | 0x3040..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xA960..=0xA97F | 0xA9E0..=0xA9FF
        | 0xAA60..=0xAA7F | 0xAC00..=0xD7FF | 0xF900..=0xFAFF | 0x1AFF0..=0x1B16F | 0x20000..=0x3FFFF);
    block && (character.is_alphanumeric() || is_combining_mark(character))
}
