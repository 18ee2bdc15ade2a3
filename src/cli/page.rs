use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;

use super::terminal::in_colour;

/// A piece of text and whether steering chose it.
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
        let [left, right] = [left, right].map(|(title, pieces)| self.column(title, pieces, column));
        for index in 0..left.len().max(right.len()) {
            let cell = |lines: &[String]| lines.get(index).cloned().unwrap_or_default();
            let (left, right) = (cell(&left), cell(&right));
            let padding = " ".repeat(column.saturating_sub(display_width(&left)) + GUTTER);
            self.line(format!("{left}{padding}{right}").trim_end())?;
        }
        Ok(())
    }

    /// The title, and the text in lines of at most `width` columns.
    fn column(&self, title: &str, pieces: &[Piece], width: usize) -> Vec<String> {
        let text: String = pieces.iter().map(|piece| self.painted(piece)).collect();
        let lines = textwrap::wrap(&text, width).into_iter().map(|line| line.into_owned());
        [title.to_uppercase()].into_iter().chain(lines).collect()
    }

    /// Words in colour where steering changed them. The space between them has none: a line may break there.
    fn painted(&self, piece: &Piece) -> String {
        if !piece.changed {
            return piece.text.clone();
        }
        let parts = piece.text.split_inclusive(char::is_whitespace);
        let painted = parts.map(|part| {
            let word = part.trim_end();
            let space = &part[word.len()..];
            self.paint(word, AnsiColor::Green.on_default().bold()) + space
        });
        painted.collect()
    }

    fn paint(&self, text: &str, style: Style) -> String {
        if self.colour && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_keeps_its_colour_across_lines_and_nothing_else_gets_it() {
        let page = Page {
            colour: true,
            width: 80,
        };
        let pieces = [("one", false), (" two three", true), (" four\nfive", false)].map(|(text, changed)| Piece {
            text: text.to_owned(),
            changed,
        });
        let style = AnsiColor::Green.on_default().bold();
        let (two, three) = (format!("{style}two{style:#}"), format!("{style}three{style:#}"));
        let wanted = [
            "PLAIN".to_owned(),
            format!("one {two}"),
            format!("{three} four"),
            "five".to_owned(),
        ];
        assert_eq!(page.column("plain", &pieces, 10), wanted);
    }
}
