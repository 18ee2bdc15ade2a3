//! `costeer profile`: what its owner does with the store.

mod delete;
mod edit;
mod export;
mod find;
mod import;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::CommandError;
use crate::settings::{Settings, Variables, load};
use crate::store::{KeySource, ProfileName, Store, recode};
use crate::telemetry;

#[derive(Args)]
pub struct ProfileArguments {
    /// A TOML file with the settings to change.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// The file with the profiles, instead of store.path.
    #[arg(long, global = true)]
    store: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the profiles.
    List(ListArguments),
    /// Show what a profile says.
    Show(ShowArguments),
    /// Make a profile.
    Create(CreateArguments),
    /// Change what a profile says.
    Edit(EditArguments),
    /// Put documents, and profiles where the files name some, into the store; importing again changes only what has changed.
    ///
    /// Takes folders of Markdown and text, mailboxes (mbox), ChatGPT's conversations.json, and lines of JSON: those of `export`,
    /// or objects with a text. Exits with 1 when some entries could not be used.
    Import(ImportArguments),
    /// Write profiles with everything they have as lines of JSON that `import` takes.
    Export(ExportArguments),
    /// Delete a profile or one of its documents, so that no byte of it is left in the file.
    Delete(DeleteArguments),
    /// Find the documents that fit a question best.
    Search(SearchArguments),
    /// Print exactly the private text that a question would get.
    Preview(PreviewArguments),
    /// Encrypt the store with the configured key (store.key, store.key_file or store.keyring).
    ///
    /// A keyring without a key gets a fresh one. Nothing else may use the store meanwhile. The old file's blocks go back to the file
    /// system, which may keep their bytes until it needs them.
    Encrypt,
    /// Undo `encrypt`.
    Decrypt,
}

#[derive(Args)]
struct ListArguments {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct ShowArguments {
    name: String,
    /// Its documents, too.
    #[arg(long)]
    documents: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct CreateArguments {
    name: String,
    /// Who or what it is for.
    #[arg(long, default_value = "")]
    description: String,
    /// How answers should be; may be given several times.
    #[arg(long)]
    preference: Vec<String>,
    /// What is so; may be given several times, the most important first.
    #[arg(long)]
    fact: Vec<String>,
}

#[derive(Args)]
struct EditArguments {
    name: String,
    /// Who or what it is for.
    #[arg(long)]
    description: Option<String>,
    /// A preference to add at the end; may be given several times.
    #[arg(long)]
    add_preference: Vec<String>,
    /// The number of a preference to remove, as `show` counts them; may be given several times.
    #[arg(long)]
    remove_preference: Vec<usize>,
    /// A fact to add at the end; may be given several times.
    #[arg(long)]
    add_fact: Vec<String>,
    /// The number of a fact to remove, as `show` counts them; may be given several times.
    #[arg(long)]
    remove_fact: Vec<usize>,
}

#[derive(Args)]
struct ImportArguments {
    /// Files and folders.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Whose documents they are where they do not say so themselves; made where there is none.
    #[arg(long)]
    profile: Option<String>,
    /// What the files are, where their names do not tell.
    #[arg(long, value_enum)]
    format: Option<import::Format>,
    /// Print a line of JSON for everything that is safely stored.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct ExportArguments {
    /// Which; all where none is named.
    names: Vec<String>,
    /// A new file for it, readable by its owner alone, instead of standard output.
    #[arg(long)]
    output: Option<PathBuf>,
}

#[derive(Args)]
struct DeleteArguments {
    name: String,
    /// Only the document with this id.
    #[arg(long)]
    document: Option<i64>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

#[derive(Args)]
struct SearchArguments {
    name: String,
    query: String,
    /// The most documents to find.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct PreviewArguments {
    name: String,
    question: String,
    /// A context that the request would bring itself.
    #[arg(long)]
    context: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: ProfileArguments) -> Result<ExitCode, CommandError> {
    telemetry::start("off", false)?;
    let overrides: Vec<(&str, String)> = arguments
        .store
        .map(|path| ("store.path", path.to_string_lossy().into_owned()))
        .into_iter()
        .collect();
    let settings = load(arguments.config.as_deref(), Variables::Read, &overrides)?;
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
        Command::Import(arguments) => return import::run(&store(settings)?, &arguments),
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

fn store(settings: &Settings) -> Result<Store, CommandError> {
    Ok(Store::open(&settings.store.file()?, &settings.store.key_source())?)
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

fn named(name: &str) -> Result<ProfileName, CommandError> {
    ProfileName::new(name).map_err(|error| CommandError::Usage(error.to_string()))
}
