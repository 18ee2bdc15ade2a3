//! Text that somebody else wrote, made fit to be shown: in a log, an error, a terminal.
//!
//! An upstream's error, a file's name or a mail's subject may hold escape codes that a terminal obeys, line breaks that look like
//! further lines of a log, and marks that turn the direction of writing. Here each of them becomes visible.

use std::fmt::Write;

use unicode_normalization::char::is_combining_mark;

/// Longest text of somebody else's that an error or a line of log repeats, in characters.
const LONGEST: usize = 400;
/// Marks on one letter that are believed to belong to a language; more of them would climb over the lines above.
const MOST_MARKS: usize = 4;

/// One line of it, cut after 400 characters.
pub fn line(text: &str) -> String {
    let mut characters = text.trim().chars();
    let mut line = escaped_chars(characters.by_ref().take(LONGEST));
    if characters.next().is_some() {
        line.push('…');
    }
    line
}

/// One line of its first `most` characters: for names, which say enough by then.
pub fn beginning(text: &str, most: usize) -> String {
    line(&text.chars().take(most).collect::<String>())
}

/// All of it, in one line.
pub fn escaped(text: &str) -> String {
    escaped_chars(text.chars())
}

/// The same where lines stay lines: for texts of many lines that their owner wants to read.
pub fn escaped_lines(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| escaped(line.trim_end_matches('\r')))
        .collect();
    lines.join("\n")
}

fn escaped_chars(characters: impl Iterator<Item = char>) -> String {
    let mut shown = String::new();
    let mut marks = 0;
    for character in characters {
        marks = if is_combining_mark(character) { marks + 1 } else { 0 };
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if character.is_control() || is_invisible(character) || marks > MOST_MARKS => {
                // Writing to a String does not fail.
                let _written = write!(shown, "\\u{{{:x}}}", u32::from(character));
            }
            _ => shown.push(character),
        }
    }
    shown
}

/// Characters that have no form of their own and change what is around them: direction (Unicode Annex 9), line and paragraph
/// separators, tags, and those that take no room. The joiners stay: scripts and emoji need them.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_and_nothing_begins_a_line() {
        assert_eq!(
            line(" oops \u{1b}[31mRED\nINFO forged\r\t\u{7}\u{9b}x "),
            "oops \\u{1b}[31mRED\\nINFO forged\\r\\t\\u{7}\\u{9b}x"
        );
        assert_eq!(
            escaped("a\u{202e}b\u{2028}c\u{200b}d\u{e0041}"),
            "a\\u{202e}b\\u{2028}c\\u{200b}d\\u{e0041}"
        );
        assert_eq!(escaped("Zoë 我們 👩\u{200d}🚀 é"), "Zoë 我們 👩\u{200d}🚀 é");
        assert_eq!(escaped_lines("a\r\nb\u{1b}\n"), "a\nb\\u{1b}\n");
    }

    #[test]
    fn long_texts_are_cut_and_towers_of_marks_end() {
        let long = line(&"ä".repeat(1000));
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(long.ends_with('…') && !line(&"ä".repeat(LONGEST)).ends_with('…'));
        assert!(escaped(&format!("e{}", "\u{301}".repeat(50))).contains("\\u{301}"));
    }
}
