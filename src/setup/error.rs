use std::path::PathBuf;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A file is where the configuration would go.
    #[error("{path} is there already; look at it, and give --force to replace it, or name another file with --config")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be made.
    #[error("cannot write {path} ({source}); name another file with --config")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// What `--local` names is no model.
    #[error("--local {value}: {reason}")]
    NoModel {
        /// What it names.
        value: String,
        /// Why it is none.
        reason: String,
    },
}
