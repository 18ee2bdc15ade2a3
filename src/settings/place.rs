use std::path::{Path, PathBuf};

/// The file that commands read where none is named: `costeer/costeer.toml` in the person's configuration folder, on Linux below
/// `$XDG_CONFIG_HOME` or `~/.config`. `None` where the system names no such folder.
pub fn usual_file() -> Option<PathBuf> {
    dirs::config_dir().map(|folder| folder.join("costeer").join("costeer.toml"))
}

/// The file that a command reads: the one that it was told, or else the usual one where it is there.
pub fn found_file(told: Option<&Path>) -> Option<PathBuf> {
    told.map(Path::to_owned)
        .or_else(|| usual_file().filter(|file| file.exists()))
}
