//! Names that are meant as ours and written otherwise.

use super::fold::{folded, is_plain, letters};

/// The field of a request's body that holds private settings.
pub const FIELD: &str = "costeer";

/// Whether a name is meant as one of ours, however it is written.
pub fn is_almost_ours(name: &str) -> bool {
    if is_plain(name) && !could_be_ours(name) {
        return false;
    }
    let folded = folded(&in_words(name));
    if letters(&folded).contains(FIELD) {
        return true;
    }
    let words: Vec<&str> = folded
        .split(|character: char| !character.is_ascii_lowercase())
        .filter(|word| !word.is_empty())
        .collect();
    // Words that stand apart may belong together: co-stear.
    (0..words.len()).any(|first| {
        let mut joined = String::new();
        words.iter().skip(first).take(FIELD.len() + 1).any(|word| {
            joined.push_str(word);
            let bare = SETTINGS
                .iter()
                .find_map(|setting| joined.strip_suffix(setting))
                .unwrap_or(&joined);
            is_a_slip(bare) || is_a_slip(bare.strip_prefix('x').unwrap_or(bare))
        })
    })
}

/// Whether enough of our letters are in a plain name: one slip takes one of them away at most. Nearly every name fails here.
fn could_be_ours(name: &str) -> bool {
    let mut left = *b"costeer";
    for byte in name.bytes() {
        let letter = if byte == b'0' { b'o' } else { byte.to_ascii_lowercase() };
        if let Some(place) = left.iter_mut().find(|place| **place == letter) {
            *place = 0;
        }
    }
    left.iter().filter(|place| **place != 0).count() <= 1
}

/// What a name of ours may go on with, once folded.
const SETTINGS: [&str; 6] = ["contextbase", "context", "profiie", "strength", "trace", "token"];

/// The name with a dash where a capital letter begins a word.
fn in_words(name: &str) -> String {
    let mut words = String::with_capacity(name.len());
    let mut before = None;
    for character in name.chars() {
        if character.is_ascii_uppercase() && before.is_some_and(|before: char| before.is_ascii_lowercase()) {
            words.push('-');
        }
        words.push(character);
        before = Some(character);
    }
    words
}

/// Whether a header or field at the top of a body is called as if it were the context itself.
pub fn means_context(name: &str) -> bool {
    let letters = letters(&folded(name));
    letters == "context" || letters.contains("privatecontext")
}

/// One letter wrong, missing, too many, or two exchanged.
fn is_a_slip(word: &str) -> bool {
    let length = FIELD.len();
    (length - 1..=length + 1).contains(&word.len()) && strsim::damerau_levenshtein(word, FIELD) <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_seen() {
        for name in [
            "costeer",
            "CoSteer",
            "x-costeer-contxt",
            "x-costeer_context",
            "x_costeer_context",
            "x-costeercontext",
            "costeer-context",
            "x-co-steer-context",
            "x-costeer.context",
            "x-costear-context",
            "xcosteer-context",
            "x--costeer-context",
            "costeer ",
            "costeer[context]",
            "co_steer",
            "costeers",
            "c\u{43e}steer",
            "cossteer",
            "costere",
            "xcostearcontext",
            "XCoStearContext",
            "costear.context",
            "\u{ff23}osteer",
            "c0steer",
            "ćosteer",
            "co.stear.notes",
            "coStearNotes",
            "costear_notes",
            "x-co-stear-profile",
            "CO-STEERS",
        ] {
            assert!(is_almost_ours(name), "{name}");
        }
    }

    #[test]
    fn a_context_by_its_bare_name_is_seen() {
        assert!(means_context("Context") && means_context("x-private-context") && means_context("private_context"));
        assert!(!means_context("context_length") && !means_context("contexts"));
    }

    #[test]
    fn ordinary_names_are_not() {
        for name in [
            "content-type",
            "x-request-id",
            "messages",
            "context_length",
            "context",
            "cost_error",
            "poster",
            "x-stainless-lang",
            "metadata",
            "customer",
            "costs",
            "coaster",
            "steer",
            "private",
            "extra_body",
            "privacy_policy",
            "traceparent",
            "cost",
            "user",
            "profile",
        ] {
            assert!(!is_almost_ours(name), "{name}");
        }
    }
}
