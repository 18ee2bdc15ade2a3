//! Files that nobody but their owner may read.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Makes the folders above `path` that are not there, for their owner alone.
///
/// # Errors
/// What the operating system says.
pub fn make_folders(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes a file for its owner alone. Never opens one that is there, nor goes through a link that somebody has laid there.
///
/// # Errors
/// What the operating system says.
pub fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes `text` to the file at `path`, which is there as a whole, before or after. It is its owner's alone until it has `permissions`, where
/// there are any.
///
/// # Errors
/// What the operating system says.
pub fn replace(path: &Path, text: &str, permissions: Option<Permissions>) -> io::Result<()> {
    let fresh = beside(path);
    let written = create_new(&fresh).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if let Some(permissions) = permissions {
            fs::set_permissions(&fresh, permissions)?;
        }
        fs::rename(&fresh, path)
    });
    if written.is_err() {
        // What is left of it is of no use, and may not be there. The error to show is the first.
        let _best_effort = fs::remove_file(&fresh);
    }
    written
}

/// A name in the same folder that nobody else has.
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:08x}", rand::random::<u32>()));
    path.with_file_name(name)
}
