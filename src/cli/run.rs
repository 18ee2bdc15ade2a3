use std::process::ExitCode;

use super::arguments::{Arguments, Command};
use super::error::CommandError;
use super::{
    config, demo, doctor, explain, health, manual, profile, render, serve, service, setup, shield, token, top, tune,
    upstream,
};

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
        Command::Render(arguments) => render::run(&arguments).await?,
        Command::Serve(arguments) => serve::run(arguments).await?,
        Command::Service(arguments) => service::run(&arguments)?,
        Command::Completions(arguments) => manual::completions(&arguments),
        Command::Man(arguments) => manual::manual(&arguments)?,
        Command::Setup(arguments) => return setup::run(arguments).await,
        Command::Token(arguments) => token::run(&arguments)?,
        Command::Top(arguments) => top::run(&arguments).await?,
        Command::Tune(arguments) => tune::run(arguments).await?,
        Command::Upstream(arguments) => upstream::run(arguments).await?,
    }
    Ok(ExitCode::SUCCESS)
}
