use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::SetupError;
use crate::private_file::{create_new, make_folders};

/// Whether a file can be made at `path`: before anything is fetched for it.
///
/// # Errors
/// [`SetupError::Exists`] where one is there and may not be replaced, and [`SetupError::Unwritable`].
pub fn can_write(path: &Path, force: bool) -> Result<(), SetupError> {
    if path.symlink_metadata().is_ok() && !force {
        return Err(SetupError::Exists { path: path.to_owned() });
    }
    let fresh = beside(path);
    let tried = make_folders(path)
        .and_then(|()| create_new(&fresh))
        .and_then(|_| fs::remove_file(&fresh));
    tried.map_err(|source| unwritable(path, source))
}

/// Writes the file for its owner alone, as a whole or not at all.
///
/// # Errors
/// As for [`can_write`].
pub fn write(path: &Path, text: &str, force: bool) -> Result<(), SetupError> {
    can_write(path, force)?;
    let fresh = beside(path);
    let written = create_new(&fresh).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    });
    written.map_err(|source| {
        // What is left of it is of no use, and may not be there.
        let _gone = fs::remove_file(&fresh);
        unwritable(path, source)
    })
}

fn unwritable(path: &Path, source: std::io::Error) -> SetupError {
    SetupError::Unwritable {
        path: path.to_owned(),
        source,
    }
}

/// A name that nobody else has.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(format!(".{:08x}", rand::random::<u32>()));
    path.with_file_name(name)
}
