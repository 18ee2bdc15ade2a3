//! The operating system's keyring.

use keyring::{Entry, Error};
use secrecy::{ExposeSecret, SecretString};

use super::StoreError;

/// The application's name in keyrings.
const SERVICE: &str = "costeer";

/// The key called `name`, if there is one.
///
/// # Errors
/// [`StoreError::Keyring`].
pub fn get(name: &str) -> Result<Option<SecretString>, StoreError> {
    match entry(name)?.get_password() {
        Ok(key) => Ok(Some(key.into())),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(unusable(error)),
    }
}

/// Puts a key there.
///
/// # Errors
/// [`StoreError::Keyring`].
pub fn set(name: &str, key: &SecretString) -> Result<(), StoreError> {
    entry(name)?.set_password(key.expose_secret()).map_err(unusable)
}

fn entry(name: &str) -> Result<Entry, StoreError> {
    Entry::new(SERVICE, name).map_err(unusable)
}

fn unusable(error: Error) -> StoreError {
    StoreError::Keyring(error.to_string())
}
