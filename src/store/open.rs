use std::path::{Path, PathBuf};

use super::database::Database;
use super::{KeySource, StoreError};

/// The store's file, below the folder for a person's data.
const FILE: &str = "costeer/profiles.db";

/// The profiles of one person, or of the users of one application.
pub struct Store {
    pub(super) database: Database,
}

impl Store {
    /// Where the store is unless the settings say otherwise: in the person's data folder (XDG's on Linux).
    ///
    /// # Errors
    /// [`StoreError::NoHome`].
    pub fn usual_path() -> Result<PathBuf, StoreError> {
        Ok(dirs::data_dir().ok_or(StoreError::NoHome)?.join(FILE))
    }

    /// Opens the store in the file, which is made where there is none.
    ///
    /// # Errors
    /// A [`StoreError`] naming the file.
    pub fn open(path: &Path, key: &KeySource) -> Result<Self, StoreError> {
        let database = Database::open(path, key.key()?)?;
        // An earlier deletion may not have been able to sweep.
        match database.sweep() {
            Ok(()) | Err(StoreError::NotSwept { .. }) => Ok(Self { database }),
            Err(error) => Err(error),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.database.path()
    }
}
