//! The commands.

mod config;
mod demo;
mod doctor;
mod explain;
mod health;
mod listen;
mod page;
mod profile;
mod progress;
mod serve;
mod shield;
mod showcase;
mod terminal;
mod token;
mod upstream;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::local::{LocalError, Precision};
use crate::service::{ServiceError, StartError};
use crate::settings::SettingsError;
use crate::store::StoreError;
use crate::store::import::ImportError;
use crate::token::TokenError;

/// A local OpenAI-compatible proxy that personalises a big model's answers without showing it anything private.
#[derive(Parser)]
#[command(version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show what steering does, on the model pair that comes along, then serve it.
    Demo(DemoArguments),
    /// Run the proxy.
    ///
    /// Settings come from the defaults (config/default.toml), then the file, then variables such as
    /// COSTEER__UPSTREAM__URL, COSTEER__UPSTREAM__API_KEY, COSTEER__LOCAL__MODEL or COSTEER__STEERING__STRENGTH.
    /// OPENAI_BASE_URL and OPENAI_API_KEY are taken for the upstream where neither names it.
    Serve(ServeArguments),
    /// See and change the profiles that answers are steered by.
    Profile(profile::ProfileArguments),
    /// Check configuration, upstreams, tokenizers and the small model, and say what to change.
    ///
    /// Exits with 0 when steering works and with 1 when it does not.
    Doctor(DoctorArguments),
    /// Show how the tokens of an answer with a trace were picked: curl … | costeer explain.
    Explain(explain::ExplainArguments),
    /// Print the effective configuration, with every key's meaning; secrets are hidden.
    Config(ConfigArguments),
    /// Ask a running proxy whether it is ready: exits with 0 if so, with 1 otherwise. For container health checks.
    Health(HealthArguments),
    /// Print the token that profiles and configured contexts need where no server.api_key is set.
    Token(TokenArguments),
    /// Serve a model directory in vLLM's dialect, for trying things out.
    Upstream(UpstreamArguments),
}

#[derive(Args)]
struct DemoArguments {
    /// Exit after the showcase instead of serving until Ctrl-C.
    #[arg(long)]
    once: bool,
    /// Address of the proxy.
    #[arg(long, default_value = "127.0.0.1:8089")]
    listen: SocketAddr,
    /// Address of the big model's server.
    #[arg(long, default_value = "127.0.0.1:8090")]
    upstream_listen: SocketAddr,
    #[command(flatten)]
    pacing: PacingArguments,
}

#[derive(Args)]
struct ServeArguments {
    /// A TOML file with the settings to change.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Address to listen on, instead of server.listen.
    #[arg(long)]
    listen: Option<SocketAddr>,
}

#[derive(Args)]
struct ConfigArguments {
    /// A TOML file with the settings to change.
    #[arg(long)]
    config: Option<PathBuf>,
}

#[derive(Args)]
struct TokenArguments {
    /// A TOML file with the settings to change.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Print the address of the page with the token in it, to be opened in a browser.
    #[arg(long)]
    page: bool,
}

#[derive(Args)]
struct HealthArguments {
    /// The proxy.
    #[arg(long, default_value = "http://127.0.0.1:8089")]
    url: String,
}

#[derive(Args)]
struct DoctorArguments {
    /// A TOML file with the settings to change.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The model to ask the upstream for, where it serves several.
    #[arg(long)]
    model: Option<String>,
    /// The key clients send to the upstream, where none is configured.
    #[arg(long, env = "OPENAI_API_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct UpstreamArguments {
    /// Model directory (Hugging Face layout), GGUF file or hub id.
    #[arg(long)]
    model: String,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Name the model is served under; the last part of --model where it is not given.
    #[arg(long)]
    name: Option<String>,
    /// Requests that run side by side; each holds the model in memory once.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    slots: u16,
    /// Number format of the computation.
    #[arg(long, value_enum, default_value = "f32")]
    dtype: Dtype,
    #[command(flatten)]
    pacing: PacingArguments,
}

#[derive(Args)]
struct PacingArguments {
    /// Milliseconds each of the big model's tokens takes longer, to stand in for a bigger model.
    #[arg(long, default_value_t = 0)]
    pace_ms: u64,
    /// Milliseconds each of the big model's answers begins later, to stand in for a network.
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Dtype {
    Auto,
    F32,
    F16,
    Bf16,
}

impl From<Dtype> for Precision {
    fn from(dtype: Dtype) -> Self {
        match dtype {
            Dtype::Auto => Self::Auto,
            Dtype::F32 => Self::F32,
            Dtype::F16 => Self::F16,
            Dtype::Bf16 => Self::Bf16,
        }
    }
}

/// Why a command ended early. Shown to the person as it is.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The proxy could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A model could not be loaded.
    #[error(transparent)]
    Model(#[from] LocalError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({source}); choose another with {setting}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The setting or flag it came from.
        setting: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Serving broke.
    #[error("serving failed: {0}")]
    Serve(std::io::Error),
    /// The terminal or pipe is gone.
    #[error("cannot write to standard output: {0}")]
    Output(std::io::Error),
    /// `log.filter` does not parse.
    #[error("log.filter: {0}")]
    Log(#[from] tracing_subscriber::filter::ParseError),
    /// A running proxy is not ready.
    #[error("not ready: {0}")]
    NotReady(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The private text of a question.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// An answer and its trace.
    #[error(transparent)]
    Explain(#[from] explain::ExplainError),
    /// Something to import.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The arguments ask for something that is not there.
    #[error("{0}")]
    Usage(String),
    /// The showcase got no answer.
    #[error("the showcase failed: {0}")]
    Showcase(String),
}

/// Runs a command to its end.
///
/// # Errors
/// A [`CommandError`] that says what to do.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CommandError> {
    shield::shield();
    match arguments.command {
        Command::Demo(arguments) => demo::run(arguments).await?,
        Command::Config(arguments) => config::run(&arguments)?,
        Command::Doctor(arguments) => return doctor::run(arguments).await,
        Command::Explain(arguments) => explain::run(&arguments)?,
        Command::Health(arguments) => return health::run(&arguments).await,
        Command::Profile(arguments) => return profile::run(arguments).await,
        Command::Serve(arguments) => serve::run(arguments).await?,
        Command::Token(arguments) => token::run(&arguments)?,
        Command::Upstream(arguments) => upstream::run(arguments).await?,
    }
    Ok(ExitCode::SUCCESS)
}
