use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

use super::values::{optional, optional_secret};
use crate::store::{self, KeySource, StoreError};

/// `[store]`: the file with the profiles.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// `None` when empty: in the person's data folder.
    #[serde(deserialize_with = "optional")]
    pub path: Option<String>,
    /// `None` when empty.
    #[serde(deserialize_with = "optional_secret")]
    key: Option<SecretString>,
    /// `None` when empty.
    #[serde(deserialize_with = "optional")]
    key_file: Option<String>,
    /// `None` when empty.
    #[serde(deserialize_with = "optional")]
    keyring: Option<String>,
}

impl Store {
    /// The file.
    ///
    /// # Errors
    /// [`StoreError::NoHome`] where neither the configuration nor the system says where.
    pub fn file(&self) -> Result<PathBuf, StoreError> {
        match &self.path {
            Some(path) => Ok(path.into()),
            None => store::Store::usual_path(),
        }
    }

    /// Where the key of an encrypted file is; the configuration names one place at most.
    pub fn key_source(&self) -> KeySource {
        match (&self.key, &self.key_file, &self.keyring) {
            (Some(key), _, _) => KeySource::Given(key.clone()),
            (None, Some(file), _) => KeySource::File(file.into()),
            (None, None, Some(name)) => KeySource::Keyring(name.clone()),
            (None, None, None) => KeySource::None,
        }
    }

    /// How many places it names.
    pub(in crate::settings) fn key_sources(&self) -> usize {
        let named = [self.key.is_some(), self.key_file.is_some(), self.keyring.is_some()];
        named.into_iter().filter(|named| *named).count()
    }
}
