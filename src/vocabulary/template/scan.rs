//! Cutting a template's source into its text and its tags, without reading what the tags say.

/// A stretch of a template's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// What is not looked into: text between tags, comments, and blocks that are written as they are.
    Text(&'a str),
    /// `{{ … }}`, with its braces.
    Expression(&'a str),
    /// `{% … %}`.
    Statement(Tag<'a>),
}

/// A statement and how it asks for the whitespace around it to be treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// `{%`, `{%-` or `{%+`.
    pub opening: &'a str,
    /// What stands between the two.
    pub inner: &'a str,
    /// `%}`, `-%}` or `+%}`.
    pub closing: &'a str,
}

impl<'a> Tag<'a> {
    /// Its first word.
    pub fn keyword(&self) -> &'a str {
        let inner = self.inner.trim_start();
        let end = inner.find(|next: char| !next.is_alphanumeric() && next != '_');
        &inner[..end.unwrap_or(inner.len())]
    }

    /// The same tag with another statement in it.
    pub fn saying(&self, statement: &str) -> String {
        format!("{} {statement} {}", self.opening, self.closing)
    }
}

/// The pieces of `source`, which together are all of it.
///
/// What is never closed comes back as text, for the engine to complain about.
pub fn pieces(source: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = source;
    while let Some(start) = first_tag(rest) {
        let (text, tag) = rest.split_at(start);
        pieces.push(Piece::Text(text));
        let Some((piece, after)) = piece(tag) else {
            rest = tag;
            break;
        };
        pieces.push(piece);
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces.retain(|piece| *piece != Piece::Text(""));
    pieces
}

fn first_tag(source: &str) -> Option<usize> {
    let opens = |(index, _): &(usize, &str)| matches!(source.as_bytes().get(index + 1), Some(b'{' | b'%' | b'#'));
    source.match_indices('{').find(opens).map(|(index, _)| index)
}

/// The tag that `source` begins with, and what comes after it.
fn piece(source: &str) -> Option<(Piece<'_>, &str)> {
    if source.starts_with("{#") {
        let (comment, after) = source.split_at(source.find("#}")? + 2);
        return Some((Piece::Text(comment), after));
    }
    let is_expression = source.starts_with("{{");
    let (whole, after) = source.split_at(end_of_tag(source, if is_expression { "}}" } else { "%}" })?);
    if is_expression {
        return Some((Piece::Expression(whole), after));
    }
    let tag = parted(whole);
    if tag.keyword() != "raw" {
        return Some((Piece::Statement(tag), after));
    }
    let ends = after.match_indices("{%").find_map(|(start, _)| {
        let length = after[start..].find("%}")? + 2;
        let is_end = parted(&after[start..start + length]).keyword() == "endraw";
        is_end.then_some(whole.len() + start + length)
    });
    let (raw, after) = source.split_at(ends?);
    Some((Piece::Text(raw), after))
}

/// Where the tag at the beginning of `source` is over: after the first `closing` outside of strings and braces.
fn end_of_tag(source: &str, closing: &str) -> Option<usize> {
    let bytes = source.as_bytes();
    let (mut at, mut depth) = (2, 0_usize);
    while at < bytes.len() {
        if depth == 0 && source.as_bytes()[at..].starts_with(closing.as_bytes()) {
            return Some(at + closing.len());
        }
        match bytes[at] {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            quote @ (b'"' | b'\'') => at = end_of_string(bytes, at, quote)?,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where the string that begins at `start` has its closing quote.
pub fn end_of_string(bytes: &[u8], start: usize, quote: u8) -> Option<usize> {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            byte if byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// A statement's braces with their signs, and what is between them.
fn parted(whole: &str) -> Tag<'_> {
    let signed = |byte: Option<&u8>| usize::from(matches!(byte, Some(b'-' | b'+')));
    let bytes = whole.as_bytes();
    let start = 2 + signed(bytes.get(2));
    let end = whole.len() - 2;
    let end = end - if end > start { signed(bytes.get(end - 1)) } else { 0 };
    Tag {
        opening: &whole[..start],
        inner: &whole[start..end.max(start)],
        closing: &whole[end.max(start)..],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_pieces_are_the_whole(source in "([{}%#'\" -]|raw|endraw|for|x|\\\\|é){0,40}") {
            let joined: String = pieces(&source)
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) | Piece::Expression(text) => (*text).to_owned(),
                    Piece::Statement(tag) => [tag.opening, tag.inner, tag.closing].concat(),
                })
                .collect();
            prop_assert_eq!(joined, source);
        }
    }

    #[test]
    fn strings_braces_comments_and_raw_blocks_are_not_mistaken_for_tags() {
        let source = "a{# {% if %} #}{{ {'%}': {}} }}{%- raw %}{{ x }}{% endraw -%}{%- set a = '%}' +%}b";
        let found = pieces(source);
        assert_eq!(found.len(), 6);
        assert_eq!(found[2], Piece::Expression("{{ {'%}': {}} }}"));
        assert_eq!(found[3], Piece::Text("{%- raw %}{{ x }}{% endraw -%}"));
        let Piece::Statement(tag) = found[4] else {
            unreachable!("{found:?}");
        };
        assert_eq!((tag.opening, tag.keyword(), tag.closing), ("{%-", "set", "+%}"));
    }
}
