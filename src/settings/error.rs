use std::path::PathBuf;

/// Why the configuration cannot be used. Every message names the key and says what to do; none shows a secret.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file given with `--config` cannot be read.
    #[error("cannot read the configuration file {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file given with `--config` is no TOML.
    #[error("{path}: {reason}")]
    NotToml {
        /// The file.
        path: PathBuf,
        /// Where it stops being TOML.
        reason: String,
    },
    /// A file or variable does not parse, or a value has the wrong type.
    #[error("the configuration is not usable: {0}")]
    Invalid(#[from] config::ConfigError),
    /// A key that does not exist.
    #[error("unknown configuration key {key} in {origin}{}", suggestion(.nearest.as_deref()))]
    UnknownKey {
        /// The key as written, `section.key`.
        key: String,
        /// The file, or the environment.
        origin: String,
        /// The valid key that looks most like it.
        nearest: Option<String>,
    },
    /// A value out of range, or two that exclude each other.
    #[error("{key}: {reason}")]
    Value {
        /// The key, `section.key`.
        key: &'static str,
        /// What is wrong and what would be right.
        reason: String,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |key| format!("; did you mean {key}?"))
}
