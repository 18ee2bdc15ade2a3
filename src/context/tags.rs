//! Text that its writer has marked as private within a message.

use super::PrivateContext;

const OPENING: &str = "<private>";
const CLOSING: &str = "</private>";

/// Tags that do not come in pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "<private> and </private> must come in pairs, one after the other; nothing was sent anywhere (context.private_tags = \
     false takes them for text)"
)]
pub struct Unbalanced;

/// What everybody may see of a text, and what was between tags, in order.
pub struct Parted {
    /// The text without the tags and what is between them.
    pub public: String,
    /// What was between them, blank ones included.
    pub private: Vec<PrivateContext>,
}

/// Whether there is a tag in the text, in whatever case.
pub fn is_tagged(text: &str) -> bool {
    find(text, OPENING).is_some() || find(text, CLOSING).is_some()
}

/// Parts a text at its tags, in whatever case they are written.
///
/// # Errors
/// [`Unbalanced`], also where a pair stands within another.
pub fn part(text: &str) -> Result<Parted, Unbalanced> {
    let mut parted = Parted {
        public: String::new(),
        private: Vec::new(),
    };
    let mut rest = text;
    while let Some(start) = find(rest, OPENING) {
        let (before, marked) = split(rest, start, OPENING);
        let (inside, after) = split(marked, find(marked, CLOSING).ok_or(Unbalanced)?, CLOSING);
        if find(before, CLOSING).is_some() || find(inside, OPENING).is_some() {
            return Err(Unbalanced);
        }
        parted.public.push_str(before);
        parted.private.push(PrivateContext::new(inside.trim().to_owned()));
        rest = after;
    }
    if find(rest, CLOSING).is_some() {
        return Err(Unbalanced);
    }
    parted.public.push_str(rest);
    Ok(parted)
}

/// What is before the tag at `start`, and what is after it.
fn split<'a>(text: &'a str, start: usize, tag: &str) -> (&'a str, &'a str) {
    let (before, rest) = text.split_at(start);
    (before, rest.get(tag.len()..).unwrap_or_default())
}

/// Tags are ASCII, so a match begins and ends between characters.
fn find(text: &str, tag: &str) -> Option<usize> {
    let windows = text.as_bytes().windows(tag.len());
    windows
        .enumerate()
        .find_map(|(start, window)| window.eq_ignore_ascii_case(tag.as_bytes()).then_some(start))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(text: &str) -> Option<(String, Vec<String>)> {
        let parted = part(text).ok()?;
        let private = parted
            .private
            .iter()
            .map(|context| context.expose().to_owned())
            .collect();
        Some((parted.public, private))
    }

    #[test]
    fn what_is_between_tags_is_taken_out() {
        let found = |public: &str, private: &[&str]| {
            Some((
                public.to_owned(),
                private.iter().map(|text| (*text).to_owned()).collect(),
            ))
        };
        assert_eq!(parts("nothing"), found("nothing", &[]));
        assert_eq!(parts("a <private>b</private> c"), found("a  c", &["b"]));
        assert_eq!(
            parts("<Private> b\nß </PRIVATE><private>d</private>"),
            found("", &["b\nß", "d"])
        );
        assert_eq!(parts("<private> </private>x"), found("x", &[""]));
        assert_eq!(parts("<privately> </privat>"), found("<privately> </privat>", &[]));
    }

    #[test]
    fn what_does_not_pair_is_refused() {
        for text in [
            "a <private> b",
            "a </private> b",
            "<private>a<private>b</private></private>",
            "</private><private>a</private>",
            "<private>a</private></private>",
            "<private><private></private>",
        ] {
            assert_eq!(parts(text), None, "{text}");
            assert!(is_tagged(text));
        }
    }

    proptest! {
        #[test]
        fn nothing_marked_stays_and_nothing_else_goes(pieces in proptest::collection::vec(("[a-z <>/ß]{0,8}", "[A-Z]{1,8}"), 0..6)) {
            let marked: String = pieces.iter().map(|(out, inside)| format!("{out}<private>{inside}</private>")).collect();
            let (public, private) = parts(&marked).unwrap();
            prop_assert_eq!(public, pieces.iter().map(|(out, _)| out.as_str()).collect::<String>());
            prop_assert_eq!(private, pieces.into_iter().map(|(_, inside)| inside).collect::<Vec<_>>());
        }
    }
}
