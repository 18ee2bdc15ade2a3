use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};

use super::terminal::in_colour;

/// A piece of text and whether steering chose it.
#[derive(Clone)]
pub struct Piece {
    /// The text of one or more tokens.
    pub text: String,
    /// Whether steering changed the token.
    pub changed: bool,
}

/// Where the showcase is written: in colour and two columns on a terminal, plain lines elsewhere.
pub struct Page {
    colour: bool,
    width: usize,
}

/// Narrower than this, two columns are not readable.
const TWO_COLUMNS: usize = 76;
const GUTTER: usize = 3;

impl Page {
    /// Standard output as it is: a terminal or not.
    pub fn standard_output() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let columns = console::Term::stdout()
            .size_checked()
            .map_or(80, |(_, columns)| columns.into());
        Self {
            colour: in_colour(),
            width: if terminal { columns } else { 0 },
        }
    }

    /// Writes a line of text.
    pub fn line(&self, text: &str) -> std::io::Result<()> {
        writeln!(std::io::stdout().lock(), "{text}")
    }

    /// Writes a line that stands out.
    pub fn heading(&self, text: &str) -> std::io::Result<()> {
        self.line(&self.paint(text, Style::new().bold()))
    }

    /// Writes a line that may be skipped.
    pub fn aside(&self, text: &str) -> std::io::Result<()> {
        self.line(&self.paint(text, Style::new().dimmed()))
    }

    /// Writes two texts side by side where there is room, one after the other where there is not.
    pub fn beside(&self, left: (&str, &[Piece]), right: (&str, &[Piece])) -> std::io::Result<()> {
        if self.width < TWO_COLUMNS {
            for (title, pieces) in [left, right] {
                let text: String = pieces.iter().map(|piece| self.painted(piece)).collect();
                self.line(&format!("{title}: {text}"))?;
            }
            return Ok(());
        }
        let column = (self.width - GUTTER) / 2;
        let columns = [left, right].map(|(title, pieces)| {
            let mut lines = vec![vec![Piece {
                text: title.to_uppercase(),
                changed: false,
            }]];
            lines.extend(wrapped(pieces, column));
            lines
        });
        let [left, right] = columns;
        for index in 0..left.len().max(right.len()) {
            let cell = |lines: &[Vec<Piece>]| lines.get(index).cloned().unwrap_or_default();
            let (left, right) = (cell(&left), cell(&right));
            let used: usize = left.iter().map(|piece| piece.text.chars().count()).sum();
            let padding = " ".repeat(column.saturating_sub(used) + GUTTER);
            let paint = |pieces: &[Piece]| pieces.iter().map(|piece| self.painted(piece)).collect::<String>();
            self.line(format!("{}{padding}{}", paint(&left), paint(&right)).trim_end())?;
        }
        Ok(())
    }

    fn painted(&self, piece: &Piece) -> String {
        if piece.changed {
            self.paint(&piece.text, AnsiColor::Green.on_default().bold())
        } else {
            piece.text.clone()
        }
    }

    fn paint(&self, text: &str, style: Style) -> String {
        if self.colour && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// Breaks pieces into lines of at most `width` characters, at spaces where possible.
fn wrapped(pieces: &[Piece], width: usize) -> Vec<Vec<Piece>> {
    let characters: Vec<(char, bool)> = pieces
        .iter()
        .flat_map(|piece| piece.text.chars().map(|character| (character, piece.changed)))
        .collect();
    let mut lines = Vec::new();
    let mut rest = characters.as_slice();
    while !rest.is_empty() {
        let newline = rest
            .iter()
            .take(width + 1)
            .position(|(character, _)| *character == '\n');
        let (end, skip) = match newline {
            Some(at) => (at, 1),
            None if rest.len() <= width => (rest.len(), 0),
            None => {
                let space = rest
                    .iter()
                    .take(width + 1)
                    .rposition(|(character, _)| *character == ' ');
                space.filter(|at| *at > 0).map_or((width, 0), |at| (at, 1))
            }
        };
        let (line, after) = rest.split_at(end.min(rest.len()));
        lines.push(joined(line));
        rest = after.get(skip..).unwrap_or_default();
    }
    lines
}

fn joined(characters: &[(char, bool)]) -> Vec<Piece> {
    characters
        .chunk_by(|left, right| left.1 == right.1)
        .map(|run| Piece {
            text: run.iter().map(|(character, _)| *character).collect(),
            changed: run.first().is_some_and(|(_, changed)| *changed),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, width: usize) -> Vec<String> {
        let piece = Piece {
            text: text.to_owned(),
            changed: false,
        };
        let lines = wrapped(&[piece], width);
        let text = |line: &Vec<Piece>| line.iter().map(|piece| piece.text.as_str()).collect();
        lines.iter().map(text).collect()
    }

    #[test]
    fn lines_break_at_spaces_and_newlines() {
        assert_eq!(lines("one two three", 8), ["one two", "three"]);
        assert_eq!(lines("one two", 7), ["one two"]);
        assert_eq!(lines("a\nb", 7), ["a", "b"]);
        assert_eq!(lines("abcdefgh", 3), ["abc", "def", "gh"]);
    }

    #[test]
    fn a_change_keeps_its_mark_across_lines() {
        let pieces = [("one ", false), ("two three", true)].map(|(text, changed)| Piece {
            text: text.to_owned(),
            changed,
        });
        let lines = wrapped(&pieces, 7);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].iter().all(|piece| piece.changed));
    }
}
