//! `costeer explain`: shows on a terminal how the tokens of an answer were picked.

mod read;
mod table;
mod text;

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use self::read::each_part;
use self::text::Painter;
use super::CommandError;
use super::terminal::in_colour;

#[derive(Args)]
pub struct ExplainArguments {
    /// A saved answer, stream or trace, instead of standard input.
    file: Option<PathBuf>,
    /// Print a table of all tokens instead of the text.
    #[arg(long)]
    table: bool,
    /// Candidates to show beside each token of the table.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "table")]
    candidates: usize,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    color: Colour,
}

#[derive(Clone, Copy, ValueEnum)]
enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    Always,
    Never,
}

/// Why an answer could not be explained. Nothing of the answer is quoted.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The file, or standard input.
    #[error("the answer cannot be read: {0}")]
    Input(io::Error),
    /// Neither an answer nor a trace.
    #[error(
        "this is no answer with a trace (line {line}, column {column}); pipe the body of a response in, or name its file"
    )]
    NotATrace {
        /// Counted from 1.
        line: usize,
        /// Likewise.
        column: usize,
    },
    /// An answer without one.
    #[error(
        "the answer has no trace: ask for it with \"costeer\": {{\"trace\": true}} in the body or X-CoSteer-Trace: 1, and for \
         something steered"
    )]
    NoTrace,
    /// What the proxy said in its place.
    #[error("the answer is an error: {0}")]
    Answer(String),
    /// The terminal or pipe is gone.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
}

pub fn run(arguments: &ExplainArguments) -> Result<(), CommandError> {
    let input: Box<dyn BufRead> = match &arguments.file {
        Some(path) => Box::new(BufReader::new(File::open(path).map_err(ExplainError::Input)?)),
        None => Box::new(io::stdin().lock()),
    };
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
