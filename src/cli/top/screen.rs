use std::io::{self, Stdout, Write};
use std::sync::Once;

use anstyle::{AnsiColor, Style};
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode, size,
};
use crossterm::{execute, queue};
use unicode_segmentation::UnicodeSegmentation;

use super::view::{Kind, Line};

/// The whole terminal, for as long as it lives. Whichever way the program ends, a panic included, the terminal is then as it was.
pub struct Screen {
    out: Stdout,
    colour: bool,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// What the operating system says; the terminal is as it was.
    pub fn open(colour: bool) -> io::Result<Self> {
        restore_before_panics_are_shown();
        enable_raw_mode()?;
        // From here on dropping it restores the terminal.
        let mut screen = Self {
            out: io::stdout(),
            colour,
        };
        execute!(screen.out, EnterAlternateScreen, Hide)?;
        Ok(screen)
    }

    /// Shows these lines and nothing else, as far as there is room.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn draw(&mut self, lines: &[Line]) -> io::Result<()> {
        let room = size()?;
        draw(&mut self.out, lines, room, self.colour)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    // The terminal may be gone, and then nothing is to be restored.
    let _gone = execute!(io::stdout(), LeaveAlternateScreen, Show);
    let _gone = disable_raw_mode();
}

/// What a panic says would be written on a screen that is about to be left.
fn restore_before_panics_are_shown() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let show = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            show(panic);
        }));
    });
}

fn draw(out: &mut impl Write, lines: &[Line], (columns, rows): (u16, u16), colour: bool) -> io::Result<()> {
    queue!(out, BeginSynchronizedUpdate)?;
    for (row, line) in (0..rows).zip(lines) {
        let style = if colour { style(line.kind) } else { Style::new() };
        let text: String = line.text.graphemes(true).take(columns.into()).collect();
        queue!(out, MoveTo(0, row), Print(format!("{style}{text}{style:#}")))?;
        // After the last column there is nothing to clear, and the cursor still stands on it.
        if text.graphemes(true).count() < columns.into() {
            queue!(out, Clear(ClearType::UntilNewLine))?;
        }
    }
    if let Ok(row) = u16::try_from(lines.len())
        && row < rows
    {
        queue!(out, MoveTo(0, row), Clear(ClearType::FromCursorDown))?;
    }
    queue!(out, EndSynchronizedUpdate)?;
    out.flush()
}

fn style(kind: Kind) -> Style {
    match kind {
        Kind::Heading => Style::new().bold(),
        Kind::Plain => Style::new(),
        Kind::Aside => Style::new().dimmed(),
        Kind::Problem => AnsiColor::Red.on_default().bold(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(texts: &[&str], room: (u16, u16), colour: bool) -> String {
        let lines: Vec<Line> = texts
            .iter()
            .map(|text| Line {
                text: (*text).to_owned(),
                kind: Kind::Heading,
            })
            .collect();
        let mut out = Vec::new();
        draw(&mut out, &lines, room, colour).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_are_cut_to_the_room_and_what_was_there_is_cleared() {
        let shown = drawn(&["one", "two µs", "three"], (5, 10), false);
        assert!(shown.contains("\u{1b}[1;1Hone\u{1b}[K"), "{shown:?}");
        assert!(shown.contains("\u{1b}[2;1Htwo µ\u{1b}[3;1H"), "{shown:?}");
        assert!(shown.contains("\u{1b}[3;1Hthree\u{1b}[4;1H\u{1b}[J"), "{shown:?}");
        let low = drawn(&["one", "two", "three"], (80, 2), false);
        assert!(
            low.contains("two") && !low.contains("three") && !low.contains("\u{1b}[J"),
            "{low:?}"
        );
    }

    #[test]
    fn without_colour_nothing_is_styled() {
        assert!(drawn(&["one"], (80, 2), true).contains("\u{1b}[1mone\u{1b}[0m"));
        assert!(!drawn(&["one"], (80, 2), false).contains("\u{1b}[1m"));
    }
}
