//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::explain::ExplainArguments;
use super::profile::ProfileArguments;
use super::render::RenderArguments;
use super::service::ServiceArguments;
use super::setup::SetupArguments;
use super::top::TopArguments;
use super::tune::TuneArguments;
use crate::local::Precision;
use crate::testkit::Pacing;

/// A local OpenAI-compatible proxy that personalises a big model's answers without showing it anything private.
#[derive(Parser)]
#[command(version)]
pub struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Show what steering does, on the model pair that comes along or on another one, then serve it.
    Demo(DemoArguments),
    /// Run the proxy.
    ///
    /// Settings come from the defaults (config/default.toml), then a file, then variables such as
    /// COSTEER__UPSTREAM__URL, COSTEER__UPSTREAM__API_KEY, COSTEER__LOCAL__MODEL or COSTEER__STEERING__STRENGTH.
    /// OPENAI_BASE_URL and OPENAI_API_KEY are taken for the upstream where neither names it.
    Serve(ServeArguments),
    /// Find the big model's server and a small model for it, and write a configuration.
    ///
    /// On a terminal it asks; elsewhere it shows what it finds, and does what its options say.
    Setup(SetupArguments),
    /// See and change the profiles that answers are steered by.
    Profile(ProfileArguments),
    /// Check configuration, upstreams, tokenizers and the small model, and say what to change.
    ///
    /// Exits with 0 when steering works and with 1 when it does not.
    Doctor(DoctorArguments),
    /// Find the strength, the floor and the plausibility limit that suit the two models, without anything private.
    ///
    /// Made-up people ask made-up questions, with and without what they say of themselves in the upstream's prompt. It says what that
    /// costs before it begins, and goes on where it was ended.
    Tune(TuneArguments),
    /// Watch a running proxy: what it answers, how fast, and what steering changes.
    Top(TopArguments),
    /// Show how the tokens of an answer with a trace were picked: curl … | costeer explain.
    Explain(ExplainArguments),
    /// Print the effective configuration, with every key's meaning; secrets are hidden.
    Config(ConfigArguments),
    /// Ask a running proxy whether it is ready: exits with 0 if so, with 1 otherwise. For container health checks.
    Health(HealthArguments),
    /// Have the proxy started whenever you log in: by systemd on Linux, by launchd on macOS.
    Service(ServiceArguments),
    /// Print completions for a shell, such as: costeer completions bash > ~/.local/share/bash-completion/completions/costeer.
    Completions(CompletionsArguments),
    /// Write pages for man into a folder, such as ~/.local/share/man/man1.
    Man(ManualArguments),
    /// Print the token that profiles and configured contexts need where no server.api_key is set.
    Token(TokenArguments),
    /// Show what a model's chat template makes of a chat: echo '{"messages": […]}' | costeer render MODEL.
    ///
    /// Each line of standard input is a chat as clients send it (messages, tools, chat_template_kwargs), or {"text": …}.
    Render(RenderArguments),
    /// Serve a model directory in vLLM's dialect, for trying things out.
    Upstream(UpstreamArguments),
}

#[derive(Args)]
pub struct DemoArguments {
    /// Small model instead of the one that comes along: directory (Hugging Face layout), GGUF file or hub id.
    #[arg(long, value_name = "MODEL")]
    pub local: Option<String>,
    /// Big model instead of the one that comes along: directory (Hugging Face layout), GGUF file or hub id.
    ///
    /// It runs on this machine, and is held in memory twice.
    #[arg(long, value_name = "MODEL")]
    pub upstream_model: Option<String>,
    /// Exit after the showcase instead of serving until Ctrl-C.
    #[arg(long)]
    pub once: bool,
    /// Address of the proxy.
    #[arg(long, default_value = "127.0.0.1:8089")]
    pub listen: SocketAddr,
    /// Address of the big model's server.
    #[arg(long, default_value = "127.0.0.1:8090")]
    pub upstream_listen: SocketAddr,
    #[command(flatten)]
    pub served: ServedArguments,
}

#[derive(Args)]
pub struct ServeArguments {
    /// A TOML file with the settings to change, instead of costeer/costeer.toml in the configuration folder.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Address to listen on, instead of server.listen.
    #[arg(long)]
    pub listen: Option<SocketAddr>,
}

#[derive(Args)]
pub struct ConfigArguments {
    /// A TOML file with the settings to change, instead of costeer/costeer.toml in the configuration folder.
    #[arg(long)]
    pub config: Option<PathBuf>,
}

#[derive(Args)]
pub struct TokenArguments {
    /// A TOML file with the settings to change, instead of costeer/costeer.toml in the configuration folder.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Print the address of the page with the token in it, to be opened in a browser.
    #[arg(long)]
    pub page: bool,
}

#[derive(Args)]
pub struct HealthArguments {
    /// The proxy.
    #[arg(long, default_value = "http://127.0.0.1:8089")]
    pub url: String,
}

#[derive(Args)]
pub struct CompletionsArguments {
    /// The shell.
    pub shell: clap_complete::Shell,
}

#[derive(Args)]
pub struct ManualArguments {
    /// Where to.
    pub folder: PathBuf,
}

#[derive(Args)]
pub struct DoctorArguments {
    /// A TOML file with the settings to change, instead of costeer/costeer.toml in the configuration folder.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// The model to ask the upstream for, where it serves several.
    #[arg(long)]
    pub model: Option<String>,
    /// The key clients send to the upstream, where none is configured.
    #[arg(long, env = "OPENAI_API_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct UpstreamArguments {
    /// Model directory (Hugging Face layout), GGUF file or hub id.
    #[arg(long)]
    pub model: String,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// Name the model is served under; the last part of --model where it is not given.
    #[arg(long)]
    pub name: Option<String>,
    /// Requests that run side by side; each holds the model in memory once.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub slots: u16,
    /// What is written before each answer to a chat, such as "<think>Well.</think>", to stand in for a model that thinks.
    #[arg(long)]
    pub thought: Option<String>,
    #[command(flatten)]
    pub served: ServedArguments,
}

/// How a big model is served, whichever command serves it.
#[derive(Args)]
pub struct ServedArguments {
    /// Number format of the computation; a GGUF file brings its own.
    #[arg(long, value_enum, default_value = "f32")]
    pub dtype: Dtype,
    /// Milliseconds each of the big model's tokens takes longer, to stand in for a bigger model.
    #[arg(long, default_value_t = 0)]
    pub pace_ms: u64,
    /// Milliseconds each of the big model's answers begins later, to stand in for a network.
    #[arg(long, default_value_t = 0)]
    pub delay_ms: u64,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Dtype {
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

impl From<&ServedArguments> for Pacing {
    fn from(arguments: &ServedArguments) -> Self {
        Self {
            delay: Duration::from_millis(arguments.delay_ms),
            pace: Duration::from_millis(arguments.pace_ms),
        }
    }
}
