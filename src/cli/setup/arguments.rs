use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub struct SetupArguments {
    /// Address of the big model's server, to take instead of one that is found. Several are looked at, and one is chosen.
    #[arg(long, value_name = "URL")]
    pub upstream: Vec<String>,
    /// Do not look at the usual addresses of this machine.
    #[arg(long)]
    pub no_search: bool,
    /// The key that the server named with --upstream wants. It is written into the file, which nobody else may read.
    #[arg(long, env = "COSTEER__UPSTREAM__API_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// The big model, where the server has several.
    #[arg(long)]
    pub model: Option<String>,
    /// The big model's tokenizer, where the server does not say: directory, GGUF file or hub id.
    #[arg(long, value_name = "MODEL")]
    pub tokenizer: Option<String>,
    /// The small model: directory (Hugging Face layout), GGUF file or hub id.
    #[arg(long, value_name = "MODEL")]
    pub local: Option<String>,
    /// Another folder to look for small models in.
    #[arg(long, value_name = "FOLDER")]
    pub models: Vec<PathBuf>,
    /// Fetch the small model from the hub, where it is not here.
    #[arg(long)]
    pub fetch: bool,
    /// Write the configuration, and check it.
    #[arg(long)]
    pub write: bool,
    /// The same as --fetch and --write, and no questions.
    #[arg(long)]
    pub yes: bool,
    /// Replace a configuration that is there already.
    #[arg(long)]
    pub force: bool,
    /// The file to write, instead of costeer/costeer.toml in the configuration folder.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl SetupArguments {
    /// Whether something may be fetched without asking.
    pub fn may_fetch(&self) -> bool {
        self.fetch || self.yes
    }

    /// Whether the file may be written without asking.
    pub fn may_write(&self) -> bool {
        self.write || self.yes
    }
}
