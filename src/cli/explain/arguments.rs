use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Args)]
pub struct ExplainArguments {
    /// A saved answer, stream or trace, instead of standard input.
    pub file: Option<PathBuf>,
    /// Print a table of all tokens instead of the text.
    #[arg(long)]
    pub table: bool,
    /// Candidates to show beside each token of the table.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "table")]
    pub candidates: usize,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    Always,
    Never,
}
