use std::fs;
use std::io::Write;
use std::path::Path;

use super::arguments::{Command, InstallArguments, ServiceArguments};
use super::manager::{Manager, run as run_command};
use crate::cli::CommandError;
use crate::settings::{Variables, found_file, load};

/// Installs or removes the service.
pub fn run(arguments: &ServiceArguments) -> Result<(), CommandError> {
    let manager = Manager::of_this_system()?;
    match &arguments.command {
        Command::Install(arguments) => install(manager, arguments),
        Command::Remove => remove(manager),
    }
}

fn install(manager: Manager, arguments: &InstallArguments) -> Result<(), CommandError> {
    // A service that cannot start is found out here, and variables of this shell are not those of the service.
    load(
        found_file(arguments.config.as_deref()).as_deref(),
        Variables::Ignore,
        &[],
    )?;
    let text = manager.text(&command(arguments.config.as_deref())?);
    let path = manager.file()?;
    if arguments.print {
        return say(&text);
    }
    let unwritable = |source| CommandError::File {
        path: path.clone(),
        source,
    };
    if path.symlink_metadata().is_ok() && !arguments.force {
        return Err(CommandError::Usage(format!(
            "{} is there already; \"costeer service remove\" removes it, and --force replaces it",
            path.display()
        )));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    fs::write(&path, text).map_err(unwritable)?;
    say(&format!("Written to {}.\n", path.display()))?;
    if arguments.no_start {
        return Ok(());
    }
    for command in manager.start()? {
        run_command(&command).map_err(|problem| {
            CommandError::Usage(format!(
                "{problem}; the service's file is written, and \"costeer service remove\" removes it"
            ))
        })?;
    }
    say("The proxy runs, and is started whenever you log in. \"costeer health\" says whether it is ready.\n")
}

fn remove(manager: Manager) -> Result<(), CommandError> {
    let path = manager.file()?;
    if path.symlink_metadata().is_err() {
        return Err(CommandError::Usage(format!(
            "there is no service: {} does not exist",
            path.display()
        )));
    }
    for command in manager.stop()? {
        if let Err(problem) = run_command(&command) {
            // The file goes all the same: without it nothing is started at the next login.
            say(&format!("It may still run: {problem}.\n"))?;
        }
    }
    fs::remove_file(&path).map_err(|source| CommandError::File {
        path: path.clone(),
        source,
    })?;
    say(&format!("Removed {}.\n", path.display()))
}

/// What the service runs. It starts in another folder than this one.
fn command(config: Option<&Path>) -> Result<Vec<String>, CommandError> {
    let here = |what: &str, error: std::io::Error| CommandError::Usage(format!("{what} cannot be found: {error}"));
    let program = std::env::current_exe().map_err(|error| here("this program's own file", error))?;
    let mut command = vec![program.to_string_lossy().into_owned(), "serve".to_owned()];
    if let Some(file) = config {
        let file = file.canonicalize().map_err(|error| here("the configuration", error))?;
        command.extend(["--config".to_owned(), file.to_string_lossy().into_owned()]);
    }
    Ok(command)
}

fn say(text: &str) -> Result<(), CommandError> {
    write!(std::io::stdout().lock(), "{text}").map_err(CommandError::Output)
}
