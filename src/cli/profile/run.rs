use std::process::ExitCode;

use super::arguments::{Command, ProfileArguments};
use super::open::store;
use super::{delete, edit, export, find, import, show};
use crate::cli::CommandError;
use crate::settings::{Settings, Variables, found_file, load};
use crate::store::{KeySource, recode};
use crate::telemetry;

pub async fn run(arguments: ProfileArguments) -> Result<ExitCode, CommandError> {
    telemetry::start("off", false)?;
    let overrides: Vec<(&str, String)> = arguments
        .store
        .map(|path| ("store.path", path.to_string_lossy().into_owned()))
        .into_iter()
        .collect();
    let file = found_file(arguments.config.as_deref());
    let settings = load(file.as_deref(), Variables::Read, &overrides)?;
    if let Command::Preview(preview) = arguments.command {
        return find::preview(&settings, preview).await;
    }
    // Nothing of this waits for anything but the disk, and a keyring may wait in its own way.
    let running = tokio::task::spawn_blocking(move || command(&settings, arguments.command));
    running.await.unwrap_or(Ok(ExitCode::FAILURE))
}

fn command(settings: &Settings, command: Command) -> Result<ExitCode, CommandError> {
    match command {
        Command::List(arguments) => show::list(&store(settings)?, &arguments)?,
        Command::Show(arguments) => show::show(&store(settings)?, &arguments)?,
        Command::Create(arguments) => edit::create(&store(settings)?, arguments)?,
        Command::Edit(arguments) => edit::edit(&store(settings)?, arguments)?,
        Command::Import(arguments) if arguments.dry_run => return import::run(None, &arguments),
        Command::Import(arguments) => return import::run(Some(&store(settings)?), &arguments),
        Command::Export(arguments) => export::run(&store(settings)?, &arguments)?,
        Command::Delete(arguments) => delete::run(&store(settings)?, &arguments)?,
        Command::Search(arguments) => find::search(&store(settings)?, &arguments)?,
        Command::Encrypt => recode(&settings.store.file()?, &KeySource::None, &key(settings)?)?,
        Command::Decrypt => recode(&settings.store.file()?, &key(settings)?, &KeySource::None)?,
        // Has been taken out before.
        Command::Preview(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn key(settings: &Settings) -> Result<KeySource, CommandError> {
    match settings.store.key_source() {
        KeySource::None => Err(CommandError::Usage(
            "no key is configured; set store.key, store.key_file or store.keyring (as a variable: COSTEER__STORE__KEY)"
                .into(),
        )),
        source => Ok(source),
    }
}
