//! Stands for the keyring in builds without the feature `encryption`.

use secrecy::SecretString;

use super::StoreError;

/// Says that there is none.
///
/// # Errors
/// [`StoreError::NoEncryption`].
pub fn get(_: &str) -> Result<Option<SecretString>, StoreError> {
    Err(StoreError::NoEncryption)
}

/// The same.
///
/// # Errors
/// [`StoreError::NoEncryption`].
pub fn set(_: &str, _: &SecretString) -> Result<(), StoreError> {
    Err(StoreError::NoEncryption)
}
