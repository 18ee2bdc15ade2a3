//! Names that are meant as ours and written otherwise.

use super::fold::{folded, letters};

/// The field of a request's body that holds private settings.
pub const FIELD: &str = "costeer";

/// Whether a name is meant as one of ours, however it is written.
pub fn is_almost_ours(name: &str) -> bool {
    let folded = folded(name);
    let letters = letters(&folded);
    if letters.contains(FIELD) || letters.contains("privatecontext") {
        return true;
    }
    let settings = ["contextbase", "context", "profile", "strength", "trace", "token"];
    let bare = settings
        .iter()
        .find_map(|setting| letters.strip_suffix(setting))
        .unwrap_or(&letters);
    let words = folded.split(|character: char| !character.is_ascii_lowercase());
    let words = words.chain([bare, bare.strip_prefix('x').unwrap_or(bare)]);
    words.into_iter().any(is_a_slip)
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
            "x-private-context",
            "costear.context",
            "\u{ff23}osteer",
            "c0steer",
            "ćosteer",
        ] {
            assert!(is_almost_ours(name), "{name}");
        }
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
