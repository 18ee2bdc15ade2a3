use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Args)]
pub struct ServiceArguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Have the proxy started now, and whenever you log in.
    Install(InstallArguments),
    /// Stop it, and have it started no more.
    Remove,
}

#[derive(Args)]
pub struct InstallArguments {
    /// A TOML file with the settings to change, instead of costeer/costeer.toml in the configuration folder.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Replace a service that is there already.
    #[arg(long)]
    pub force: bool,
    /// Write the file, and start nothing.
    #[arg(long)]
    pub no_start: bool,
    /// Print the file, and do nothing else.
    #[arg(long)]
    pub print: bool,
}
