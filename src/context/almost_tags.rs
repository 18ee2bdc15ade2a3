//! Texts that look like one of our tags without being one.

use super::fold::{folded, is_plain};

/// Whether something in the text is meant as a tag, or could be taken for one: with blanks or attributes, escaped, with letters that
/// only look alike, or in other brackets. Such a text cannot be sent on, because it is not clear what should have been private.
pub fn is_almost_tagged(text: &str) -> bool {
    if is_plain(text) && !text.contains(['<', '[', '{', '(']) {
        return false;
    }
    let folded = folded(text);
    folded.char_indices().any(|(at, bracket)| {
        let inside = || folded.get(at + bracket.len_utf8()..).unwrap_or_default();
        match bracket {
            '<' => angled(inside()),
            '[' | '{' | '(' => closes(inside()),
            _ => false,
        }
    })
}

const NAME: &str = "private";
/// How far an attribute may be from its tag's end, in characters.
const LONGEST_TAG: usize = 400;

/// Whether `<` before this begins something like our tag.
fn angled(inside: &str) -> bool {
    // What may stand before the name by mistake, or as a comment.
    let is_before = |character: char| character.is_whitespace() || "/\\!?\"'".contains(character);
    let name = inside.trim_start_matches(is_before);
    let before = inside.get(..inside.len() - name.len()).unwrap_or_default();
    let is_comment = before.contains('!') && name.starts_with("--");
    let name = if is_comment {
        name.trim_start_matches(|character| character == '-' || is_before(character))
    } else {
        name
    };
    let is_closing = before.contains('/') || is_comment;
    let has_blanks = before.contains(char::is_whitespace);
    let Some((rest, is_spaced)) = after_name(name) else {
        return !has_blanks && is_misspelt(name);
    };
    let ends = rest.trim_start().starts_with('>');
    let mut following = rest.chars();
    match following.next() {
        _ if is_comment => true,
        _ if is_spaced => ends,
        // Another name that begins in the same way: <privately>, <private_key>, <private-data>.
        Some(next) if next.is_alphanumeric() => !has_blanks && is_misspelt(name),
        Some('_' | '.' | '-') if following.next().is_some_and(char::is_alphanumeric) => false,
        // A path, such as #include <private/file.h>.
        Some('/') if !is_closing => !following
            .next()
            .is_some_and(|next| next.is_alphanumeric() || next == '_'),
        // "a < private" is a comparison, unless it goes on like a tag.
        _ if has_blanks && !is_closing => ends || has_attribute(rest),
        _ => true,
    }
}

/// What comes after the name, and whether its letters stand apart.
fn after_name(text: &str) -> Option<(&str, bool)> {
    let mut rest = text;
    let mut is_spaced = false;
    for (index, letter) in NAME.chars().enumerate() {
        let is_between = |character: char| character.is_whitespace() || "._-*".contains(character);
        let apart = rest
            .chars()
            .take(2)
            .take_while(|character| is_between(*character))
            .map(char::len_utf8)
            .sum();
        if index > 0 && apart > 0 {
            is_spaced = true;
            rest = rest.get(apart..)?;
        }
        rest = rest.strip_prefix(letter)?;
    }
    Some((rest, is_spaced))
}

/// Whether a tag's whole name is ours but for one letter: `<privat>`, `<prviate>`.
fn is_misspelt(tag: &str) -> bool {
    let name: String = tag
        .chars()
        .take(NAME.len() + 2)
        .take_while(char::is_ascii_lowercase)
        .collect();
    let ends = tag
        .get(name.len()..)
        .is_some_and(|rest| rest.trim_start().starts_with('>'));
    ends && (NAME.len() - 1..=NAME.len() + 1).contains(&name.len()) && strsim::damerau_levenshtein(&name, NAME) == 1
}

fn has_attribute(rest: &str) -> bool {
    let mut has_equals = false;
    for character in rest.chars().take(LONGEST_TAG) {
        match character {
            '>' => return has_equals,
            '<' => return false,
            _ => has_equals |= character == '=',
        }
    }
    false
}

/// Whether another bracket before this begins `/private` with its own end: `[private]` alone stands in many texts.
fn closes(inside: &str) -> bool {
    let Some(rest) = inside.trim_start().strip_prefix('/') else {
        return false;
    };
    let name = after_name(rest.trim_start());
    name.is_some_and(|(rest, _)| rest.trim_start().starts_with([']', '}', ')']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_a_tag_is_seen() {
        for text in [
            "<private>",
            "</private>",
            "<private x>",
            "<private note='x'>",
            "<private/>",
            "< private>",
            "</ private>",
            "< /private >",
            "<private",
            "<private ",
            "&lt;private&gt;",
            "\\<private\\>",
            "＜private＞",
            "<\u{200b}private>",
            "[private]a[/private]",
            "a[/private]",
            "{private}x{/private}",
            "%3Cprivate%3E",
            "\\u003cprivate\\u003e",
            "<pr\u{131}vate>",
            "<p r i v a t e>",
            "<p.r.i.v.a.t.e>",
            "<<private>>",
            "<private\">",
            "< private note=\"x\">",
            "&#x3c;/private&#x3e;",
            "<!private>",
            "a < private > b",
            "«private»",
            "<private;>",
            "<private,x>",
            "<pri\u{ad}vate x",
            "( / private )",
            "<!-- private -->",
            "<!--/private-->",
            "<privat>",
            "</privat >",
            "<prviate>",
            "<privates>",
            "<private—x>",
            "<private->",
            "<pri\u{8}vate>",
            "<private:>",
        ] {
            assert!(is_almost_tagged(text), "{text}");
        }
    }

    #[test]
    fn ordinary_texts_are_not_taken_for_tags() {
        for text in [
            "",
            "This is private.",
            "[private](https://example.org)",
            "a [private] note",
            "private: int x;",
            "if (x < private_count) {}",
            "x < private && y > 2",
            "#include <private/qobject_p.h>",
            "<privately>",
            "<private-key>",
            "<private_key>",
            "<privateKey>",
            "std::vector<privateType>",
            "(private)",
            "x <- private",
            "for i < private: pass",
            "a & b < c % d",
            "C:\\private\\x",
            "<p>rivate</p>",
            "{\"private\": true}",
            "50 % private",
            "我們 <b>私</b>",
            "[p r i v a t e]",
        ] {
            assert!(!is_almost_tagged(text), "{text}");
        }
    }
}
