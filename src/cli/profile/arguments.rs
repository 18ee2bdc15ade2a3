use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::store::import;

#[derive(Args)]
pub struct ProfileArguments {
    /// A TOML file with the settings to change, instead of costeer/costeer.toml in the configuration folder.
    #[arg(long, global = true)]
    pub config: Option<PathBuf>,
    /// The file with the profiles, instead of store.path.
    #[arg(long, global = true)]
    pub store: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
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
    /// Takes notes (Markdown, Org, reStructuredText, HTML, text), mail (mbox, Maildir, .eml), exports of ChatGPT, Claude, Gemini and WhatsApp,
    /// records (JSON, CSV), and what `export` writes: files, folders of them, and ZIP files. Exits with 1 when something could not be used.
    Import(ImportArguments),
    /// Write profiles with everything they have as lines of JSON that `import` takes.
    Export(ExportArguments),
    /// Delete a profile or one of its documents, so that no byte of it is left in the file.
    Delete(DeleteArguments),
    /// Find the documents that fit a question best.
    Search(SearchArguments),
    /// Print the private text that a question would get by itself.
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
pub struct ListArguments {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct ShowArguments {
    pub name: String,
    /// Its documents, too.
    #[arg(long)]
    pub documents: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct CreateArguments {
    pub name: String,
    /// Who or what it is for.
    #[arg(long, default_value = "")]
    pub description: String,
    /// How answers should be; may be given several times.
    #[arg(long)]
    pub preference: Vec<String>,
    /// What is so; may be given several times, the most important first. Other programs see it in the list of processes, and the shell keeps
    /// it: see --facts.
    #[arg(long)]
    pub fact: Vec<String>,
    /// A file with a preference on every line; - is standard input.
    #[arg(long, value_name = "FILE")]
    pub preferences: Option<PathBuf>,
    /// A file with a fact on every line; - is standard input.
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
}

#[derive(Args)]
pub struct EditArguments {
    pub name: String,
    /// Who or what it is for.
    #[arg(long)]
    pub description: Option<String>,
    /// A preference to add at the end; may be given several times.
    #[arg(long)]
    pub add_preference: Vec<String>,
    /// A file with a preference to add on every line; - is standard input.
    #[arg(long, value_name = "FILE")]
    pub add_preferences: Option<PathBuf>,
    /// The number of a preference to remove, as `show` counts them; may be given several times.
    #[arg(long)]
    pub remove_preference: Vec<usize>,
    /// A fact to add at the end; may be given several times.
    #[arg(long)]
    pub add_fact: Vec<String>,
    /// A file with a fact to add on every line; - is standard input.
    #[arg(long, value_name = "FILE")]
    pub add_facts: Option<PathBuf>,
    /// The number of a fact to remove, as `show` counts them; may be given several times.
    #[arg(long)]
    pub remove_fact: Vec<usize>,
}

#[derive(Args)]
pub struct ImportArguments {
    /// Files and folders.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Whose documents they are where they do not say so themselves; made where there is none.
    #[arg(long)]
    pub profile: Option<String>,
    /// What the files are, where their names do not tell. In a folder, which files are wanted.
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// How you are called in chats and mails; may be given several times. Mails from others are then left out.
    #[arg(long, value_name = "NAME")]
    pub me: Vec<String>,
    /// Take in what others say in chats as well, with their names.
    #[arg(long)]
    pub everyone: bool,
    /// List what would be read, and store nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Print a line of JSON for everything that is safely stored.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct ExportArguments {
    /// Which; all where none is named.
    pub names: Vec<String>,
    /// A new file for it, readable by its owner alone, instead of standard output.
    #[arg(long)]
    pub output: Option<PathBuf>,
}

#[derive(Args)]
pub struct DeleteArguments {
    pub name: String,
    /// Only the document with this id.
    #[arg(long)]
    pub document: Option<i64>,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

#[derive(Args)]
pub struct SearchArguments {
    pub name: String,
    pub query: String,
    /// The most documents to find.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub count: u16,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct PreviewArguments {
    pub name: String,
    pub question: String,
    /// A context that the request would bring itself.
    #[arg(long)]
    pub context: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// [`import::Format`] on the command line.
#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    Jsonl,
    Json,
    Csv,
    Notes,
    Mail,
    Chats,
}

impl From<Format> for import::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Jsonl => Self::Jsonl,
            Format::Json => Self::Json,
            Format::Csv => Self::Csv,
            Format::Notes => Self::Notes,
            Format::Mail => Self::Mail,
            Format::Chats => Self::Chats,
        }
    }
}
