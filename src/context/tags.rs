//! Text that its writer has marked as private within a message.

use super::PrivateContext;

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
    find(text, Tag::Opening).is_some() || find(text, Tag::Closing).is_some()
}

/// Parts a text at its tags, in whatever case they are written; blanks may stand before their `>`, as in XML.
///
/// # Errors
/// [`Unbalanced`], also where a pair stands within another.
pub fn part(text: &str) -> Result<Parted, Unbalanced> {
    let mut parted = Parted {
        public: String::new(),
        private: Vec::new(),
    };
    let mut rest = text;
    while let Some(opening) = find(rest, Tag::Opening) {
        let (before, marked) = split(rest, opening);
        let closing = find(marked, Tag::Closing).ok_or(Unbalanced)?;
        let (inside, after) = split(marked, closing);
        if find(before, Tag::Closing).is_some() || find(inside, Tag::Opening).is_some() {
            return Err(Unbalanced);
        }
        parted.public.push_str(before);
        parted.private.push(PrivateContext::new(inside.trim().to_owned()));
        rest = after;
    }
    if find(rest, Tag::Closing).is_some() {
        return Err(Unbalanced);
    }
    parted.public.push_str(rest);
    Ok(parted)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Opening,
    Closing,
}

impl Tag {
    fn begins_with(self) -> &'static [u8] {
        match self {
            Self::Opening => b"<private",
            Self::Closing => b"</private",
        }
    }
}

/// What is before a tag, and what is after it.
fn split(text: &str, (start, end): (usize, usize)) -> (&str, &str) {
    (
        text.get(..start).unwrap_or_default(),
        text.get(end..).unwrap_or_default(),
    )
}

/// Where the first such tag begins and ends. Tags are ASCII, so both are between characters.
fn find(text: &str, tag: Tag) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let name = tag.begins_with();
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|byte| *byte == b'<') {
        let start = from + at;
        let rest = bytes.get(start..)?;
        if let Some((head, rest)) = rest.split_at_checked(name.len())
            && head.eq_ignore_ascii_case(name)
        {
            let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            if rest.get(blanks) == Some(&b'>') {
                return Some((start, start + name.len() + blanks + 1));
            }
        }
        from = start + 1;
    }
    None
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

    #[test]
    fn blanks_may_stand_before_the_end_of_a_tag() {
        let (public, private) = parts("a <private >b</private\n>c<PRIVATE\t>d</private>").unwrap();
        assert_eq!(
            (public.as_str(), private),
            ("a c", vec!["b".to_owned(), "d".to_owned()])
        );
        assert_eq!(parts("<private x>").unwrap().0, "<private x>");
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
