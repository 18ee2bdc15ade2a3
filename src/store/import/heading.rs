//! Titles of notes.

use super::entry::one_line;
use super::times;
use crate::store::{Document, PrivateText};

/// A title, what is before it and what is after it.
type Parted<'t> = Option<(String, &'t str, &'t str)>;

/// The first heading of Markdown's highest level.
pub fn markdown(body: &str) -> Parted<'_> {
    let mut at = 0;
    let mut fence = None;
    for line in body.split_inclusive('\n') {
        let begun = at;
        at += line.len();
        // In a block of code, "# " begins a comment.
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, Some(_)) => fence = mark,
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => {
                let title = line.strip_prefix("# ").map(|title| one_line(without_end(title.trim())));
                if let Some(title) = title.filter(|title| !title.is_empty()) {
                    return Some((title, body.get(..begun)?, body.get(at..)?));
                }
            }
            _ => {}
        }
    }
    None
}

/// Markdown lets a heading end with number signs after a space. "C#" has none before it.
fn without_end(title: &str) -> &str {
    let bare = title.trim_end_matches('#');
    if bare.is_empty() || bare.ends_with([' ', '\t']) {
        bare
    } else {
        title
    }
}

/// The title of reStructuredText: a first line that is underlined, and perhaps overlined.
pub fn restructured(body: &str) -> Parted<'_> {
    let start = body.len() - body.trim_start_matches(['\n', '\r']).len();
    let mut lines = body.get(start..)?.split_inclusive('\n');
    let first = lines.next()?;
    let (over, title) = if is_rule(first) {
        (first.len(), lines.next()?)
    } else {
        (0, first)
    };
    let under = lines.next().filter(|line| is_rule(line))?;
    let wide_enough = under.trim_end().chars().count() >= title.trim().chars().count();
    let end = start + over + title.len() + under.len();
    (wide_enough && !title.trim().is_empty()).then_some((one_line(title), body.get(..start)?, body.get(end..)?))
}

fn is_rule(line: &str) -> bool {
    let line = line.trim_end();
    let mark = line.chars().next().filter(char::is_ascii_punctuation);
    mark.is_some_and(|mark| line.len() > 1 && line.chars().all(|character| character == mark))
}

/// A note of Emacs' Org mode: title, date and tags stand in lines of their own before the text.
pub fn org(text: &str) -> Document {
    let mut note = Document::default();
    let mut body = Vec::new();
    for line in text.lines() {
        let keyword = line
            .trim_start()
            .strip_prefix("#+")
            .and_then(|rest| rest.split_once(':'));
        let Some((keyword, value)) = keyword else {
            body.push(line);
            continue;
        };
        let value = value.trim();
        match keyword.to_lowercase().as_str() {
            "title" => note.title = one_line(&[note.title.as_private_str(), value].join(" ")).into(),
            "date" => note.time = times::written(value.trim_matches(['<', '>', '[', ']']).get(..10).unwrap_or(value)),
            "filetags" => {
                let tags = value.split([':', ' ']).filter(|tag| !tag.is_empty());
                note.tags.extend(tags.map(PrivateText::from));
            }
            _ => body.push(line),
        }
    }
    note.text = body.join("\n").trim().into();
    if note.text.is_blank() {
        note.text = note.title.clone();
    }
    note
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_found_where_their_markup_has_them() {
        assert_eq!(markdown("a\n# C#\nb"), Some(("C#".into(), "a\n", "b")));
        assert_eq!(markdown("# The  title ##\nb"), Some(("The title".into(), "", "b")));
        assert_eq!(
            restructured("\n=====\nTitle\n=====\n\nText"),
            Some(("Title".into(), "\n", "\nText"))
        );
        assert_eq!(restructured("Title\n-----\nText"), Some(("Title".into(), "", "Text")));
        assert_eq!(restructured("Text\nand more\n----\n"), None);
    }

    #[test]
    fn org_has_its_lines_before_the_text() {
        let note = org(
            "#+TITLE: My soup\n#+date: <2024-05-01 Wed>\n#+filetags: :a:b:\n\n* Heading\nText\n#+begin_src\nx\n#+end_src",
        );
        assert_eq!(note.title.as_private_str(), "My soup");
        assert!(note.time == times::written("2024-05-01") && note.tags.len() == 2);
        assert!(note.text.as_private_str().starts_with("* Heading\nText\n#+begin_src"));
    }
}
