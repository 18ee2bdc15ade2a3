use std::io::{self, Write};

use anstyle::{Ansi256Color, Color, Style};

use super::read::Position;
use crate::foreign::escaped_lines;
use crate::vocabulary::TextStream;

/// Nats from which on a token gets the next deeper colour.
const STEPS: [f64; 4] = [0.25, 1.0, 2.5, 5.0];
/// Backgrounds for tokens that steering pulled up, and for those that were picked although it pushed them down: blue and
/// orange, which people who confuse colours can tell apart. From the 6×6×6 cube of 256-colour terminals.
const UP: [u8; 4] = [153, 117, 75, 33];
const DOWN: [u8; 4] = [223, 216, 209, 202];

/// Writes answers token by token, coloured by how far steering moved each; tokens that it changed are underlined. Without
/// colours those are in brackets, with the nats.
pub struct Painter {
    colour: bool,
    characters: TextStream,
}

impl Painter {
    pub fn new(colour: bool) -> Self {
        Self {
            colour,
            characters: TextStream::default(),
        }
    }

    /// Writes the characters that are whole with this token.
    pub fn token(&mut self, out: &mut impl Write, position: &Position) -> io::Result<()> {
        let text = escaped_lines(&self.characters.push(&position.bytes));
        let (shift, changed) = (position.shift(), position.is_changed());
        if text.is_empty() {
            Ok(())
        } else if self.colour {
            let style = style(shift, changed);
            write!(out, "{style}{text}{style:#}")
        } else if changed {
            write!(out, "[{text} {shift:+.1}]")
        } else {
            write!(out, "{text}")
        }
    }

    /// Ends an answer.
    pub fn end(&mut self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}", escaped_lines(&self.characters.finish()))
    }

    /// Says what the colours mean.
    pub fn legend(&self, out: &mut impl Write) -> io::Result<()> {
        if !self.colour {
            return Ok(());
        }
        write!(out, "nats:")?;
        let down = STEPS.iter().rev().map(|step| -step);
        for shift in down.chain(STEPS) {
            let style = style(shift, false);
            write!(out, " {style} {shift:+} {style:#}")?;
        }
        let changed = Style::new().underline();
        writeln!(out, "  {changed}changed by steering{changed:#}")
    }
}

fn style(shift: f64, changed: bool) -> Style {
    let depth = STEPS.iter().take_while(|step| shift.abs() >= **step).count();
    let shades = if shift < 0.0 { DOWN } else { UP };
    let shade = depth.checked_sub(1).and_then(|depth| shades.get(depth));
    let style = shade.map_or(Style::new(), |shade| {
        let on = |code: u8| Some(Color::Ansi256(Ansi256Color(code)));
        Style::new().fg_color(on(16)).bg_color(on(*shade))
    });
    if changed { style.underline() } else { style }
}
