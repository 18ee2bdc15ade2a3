use std::fs;
use std::path::Path;

use super::SetupError;
use crate::private_file::{beside, create_new, make_folders, replace};

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
    replace(path, text, None).map_err(|source| unwritable(path, source))
}

fn unwritable(path: &Path, source: std::io::Error) -> SetupError {
    SetupError::Unwritable {
        path: path.to_owned(),
        source,
    }
}
