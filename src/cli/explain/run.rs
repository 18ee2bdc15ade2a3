use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

use encoding_rs_io::DecodeReaderBytesBuilder;

use super::arguments::{Colour, ExplainArguments};
use super::error::ExplainError;
use super::read::each_part;
use super::table;
use super::text::Painter;
use crate::cli::CommandError;
use crate::cli::terminal::in_colour;

pub fn run(arguments: &ExplainArguments) -> Result<(), CommandError> {
    let input: Box<dyn Read> = match &arguments.file {
        Some(path) => Box::new(File::open(path).map_err(ExplainError::Input)?),
        None => Box::new(io::stdin().lock()),
    };
    // Windows' shell saves UTF-16, and its editors put a byte order mark before the text.
    let decoded = DecodeReaderBytesBuilder::new()
        .utf8_passthru(true)
        .strip_bom(true)
        .build(input);
    let input = BufReader::new(decoded);
    let colour = match arguments.color {
        Colour::Auto => in_colour(),
        Colour::Always => true,
        Colour::Never => false,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let explained = if arguments.table {
        table(input, &mut out, arguments.candidates)
    } else {
        text(input, &mut out, colour)
    };
    // What could be explained is seen even where the rest could not.
    out.flush().map_err(ExplainError::Output)?;
    Ok(explained?)
}

fn text(input: impl BufRead, out: &mut impl Write, colour: bool) -> Result<(), ExplainError> {
    let mut painter = Painter::new(colour);
    let mut current = None;
    let read = each_part(input, |part| {
        if current.replace(part.index).is_some_and(|before| before != part.index) {
            painter.end(out)?;
        }
        for position in &part.positions {
            painter.token(out, position)?;
        }
        out.flush()
    });
    if current.is_some() {
        painter
            .end(out)
            .and_then(|()| painter.legend(out))
            .map_err(ExplainError::Output)?;
    }
    read
}

fn table(input: impl BufRead, out: &mut impl Write, others: usize) -> Result<(), ExplainError> {
    let mut current = None;
    each_part(input, |part| {
        if current.replace(part.index) != Some(part.index) {
            table::head(out)?;
        }
        part.positions
            .iter()
            .try_for_each(|position| table::rows(out, position, others))
    })
}
