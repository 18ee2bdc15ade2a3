use std::path::PathBuf;

use clap::Args;

use crate::tune::TOKENS;

#[derive(Args)]
pub struct TuneArguments {
    /// A TOML file with the settings to change.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// How many of the questions to ask; all of them where it is not given.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub questions: Option<u32>,
    /// The most tokens of an answer.
    #[arg(long, default_value_t = TOKENS, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub tokens: u32,
    /// Other questions than those that come along: a file with a JSON object a line, {"context": …, "question": …}.
    ///
    /// The upstream sees all of it, the contexts too. Take nothing private.
    #[arg(long, value_name = "FILE")]
    pub set: Option<PathBuf>,
    /// Ask one question, say what all would cost, and stop.
    #[arg(long)]
    pub estimate: bool,
    /// Forget what an earlier run has measured.
    #[arg(long)]
    pub fresh: bool,
    /// Write the proposed settings into the file given with --config. Its comments stay.
    #[arg(long, requires = "config")]
    pub write: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// The model to ask the upstream for, where it serves several.
    #[arg(long)]
    pub model: Option<String>,
    /// The key clients send to the upstream, where none is configured.
    #[arg(long, env = "OPENAI_API_KEY", hide_env_values = true)]
    pub key: Option<String>,
}
