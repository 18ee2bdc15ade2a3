//! Text that its writer has marked as private within a message.

use zeroize::Zeroizing;

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

/// Whether an opening tag has a closing one somewhere behind it.
pub fn is_paired(text: &str) -> bool {
    !regions(text).is_empty()
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

/// Parts a text as [`part`] does, and takes as much as may be meant where tags do not pair: from an opening tag that is open to the last
/// that may close it. What is left has no closing tag behind an opening one.
pub fn part_whatever_pairs(text: &str) -> Parted {
    let mut left = Zeroizing::new(text.to_owned());
    let mut private = Vec::new();
    // What was on both sides of a pair may be a tag once they meet.
    for _ in 0..MOST_ROUNDS {
        let regions = regions(&left);
        if regions.is_empty() {
            let public = std::mem::take(&mut *left);
            return Parted { public, private };
        }
        let mut between = Zeroizing::new(String::with_capacity(left.len()));
        let mut from = 0;
        for (start, end) in regions {
            between.push_str(left.get(from..start).unwrap_or_default());
            private.push(PrivateContext::new(without_tags(
                left.get(start..end).unwrap_or_default(),
            )));
            from = end;
        }
        between.push_str(left.get(from..).unwrap_or_default());
        left = between;
    }
    private.push(PrivateContext::new(without_tags(&left)));
    let public = String::new();
    Parted { public, private }
}

/// Pairs that come to be when others are taken out are looked for this often. Who goes on is not speaking of tags, and keeps nothing.
const MOST_ROUNDS: usize = 5;

/// From an opening tag to the closing one that ends it, or the last one, and so on behind that.
fn regions(text: &str) -> Vec<(usize, usize)> {
    let (mut regions, mut open, mut depth) = (Vec::new(), None, 0_usize);
    for (tag, start, end) in tags(text) {
        match (tag, &mut open) {
            (Tag::Opening, None) => (open, depth) = (Some((start, None)), 1),
            (Tag::Opening, Some(_)) => depth += 1,
            (Tag::Closing, None) => {}
            (Tag::Closing, Some((begin, closed))) => {
                (depth, *closed) = (depth - 1, Some(end));
                if depth == 0 {
                    regions.push((*begin, end));
                    open = None;
                }
            }
        }
    }
    regions.extend(open.and_then(|(begin, closed)| Some((begin, closed?))));
    regions
}

fn without_tags(text: &str) -> String {
    let (mut bare, mut from) = (Zeroizing::new(String::with_capacity(text.len())), 0);
    for (_, start, end) in tags(text) {
        bare.push_str(text.get(from..start).unwrap_or_default());
        from = end;
    }
    bare.push_str(text.get(from..).unwrap_or_default());
    bare.trim().to_owned()
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

/// Where the first such tag begins and ends.
fn find(text: &str, wanted: Tag) -> Option<(usize, usize)> {
    let mut of_the_kind = tags(text).filter(|(tag, ..)| *tag == wanted);
    of_the_kind.next().map(|(_, start, end)| (start, end))
}

/// All tags of a text, with where they begin and end. They are ASCII, so both are between characters.
fn tags(text: &str) -> impl Iterator<Item = (Tag, usize, usize)> {
    let brackets = text.match_indices('<').map(|(start, _)| start);
    brackets.filter_map(|start| {
        let rest = text.as_bytes().get(start..)?;
        let begins = |tag: &Tag| {
            let head = rest.get(..tag.begins_with().len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(tag.begins_with()))
        };
        let tag = [Tag::Opening, Tag::Closing].into_iter().find(begins)?;
        let rest = rest.get(tag.begins_with().len()..)?;
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let end = start + tag.begins_with().len() + blanks + 1;
        (rest.get(blanks) == Some(&b'>')).then_some((tag, start, end))
    })
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

    #[test]
    fn where_tags_do_not_pair_whatever_may_be_meant_is_taken() {
        for (text, public, private) in [
            ("a <private>b</private> c", "a  c", &["b"][..]),
            ("Use <private>. <private>b</private> c", "Use  c", &[". b"]),
            ("<private>b</private> Use <private> c", " Use <private> c", &["b"]),
            ("Use </private>. <private>b</private> c", "Use </private>.  c", &["b"]),
            ("<private>b</private> </private> c", " </private> c", &["b"]),
            ("<private>a<PRIVATE >b</private></private>c", "c", &["ab"]),
            (
                "<private>a<private>b</private>c</private><private>",
                "<private>",
                &["abc"],
            ),
            ("<pri<private>a</private>vate>b</private>c", "c", &["a", "b"]),
            ("</private> a <private>", "</private> a <private>", &[]),
            ("nothing", "nothing", &[]),
        ] {
            let parted = part_whatever_pairs(text);
            let taken: Vec<&str> = parted.private.iter().map(|context| context.expose()).collect();
            assert_eq!((parted.public.as_str(), taken.as_slice()), (public, private), "{text}");
        }
    }

    #[test]
    fn pairs_that_never_end_coming_to_be_leave_nothing() {
        let nested = (0..100_000).fold(String::new(), |text, _| text + "<pri<private></private>");
        let ending = "vate>x</private>".repeat(100_000);
        assert_eq!(part_whatever_pairs(&format!("{nested}{ending}")).public, "");
        let open = "<private>".repeat(100_000);
        assert_eq!(part_whatever_pairs(&open).public, open);
    }

    proptest! {
        #[test]
        fn no_tag_is_closed_in_what_is_left_and_what_has_no_tags_stays(
            pieces in proptest::collection::vec(prop_oneof![Just("<private>"), Just("</private>"), Just("<pri"), Just("vate>"), Just("x")], 0..12),
        ) {
            let text = pieces.concat();
            let parted = part_whatever_pairs(&text);
            prop_assert!(regions(&parted.public).is_empty(), "{}", parted.public);
            if let Ok(strict) = part(&text) && part(&strict.public).is_ok_and(|again| again.private.is_empty()) {
                prop_assert_eq!(&parted.public, &strict.public);
            }
            if !is_tagged(&text) {
                prop_assert_eq!(parted.public, text);
            }
        }

        #[test]
        fn nothing_marked_stays_and_nothing_else_goes(pieces in proptest::collection::vec(("[a-z <>/ß]{0,8}", "[A-Z]{1,8}"), 0..6)) {
            let marked: String = pieces.iter().map(|(out, inside)| format!("{out}<private>{inside}</private>")).collect();
            let (public, private) = parts(&marked).unwrap();
            prop_assert_eq!(public, pieces.iter().map(|(out, _)| out.as_str()).collect::<String>());
            prop_assert_eq!(private, pieces.into_iter().map(|(_, inside)| inside).collect::<Vec<_>>());
        }
    }
}
