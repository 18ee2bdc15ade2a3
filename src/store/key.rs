//! The key of an encrypted store, and where it is kept.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{StoreError, keyring};

/// Where the key is.
#[derive(Clone, Default)]
pub enum KeySource {
    /// There is none: the file is not encrypted.
    #[default]
    None,
    /// Here.
    Given(SecretString),
    /// In this file, whose last line break does not count.
    File(PathBuf),
    /// In the operating system's keyring, under this name.
    Keyring(String),
}

/// Bits of a made key: those of AES-256.
const KEY_BYTES: usize = 32;

impl KeySource {
    /// The key; `None` where the store is not encrypted.
    ///
    /// # Errors
    /// A [`StoreError`] when the file or the keyring does not give it.
    pub fn key(&self) -> Result<Option<SecretString>, StoreError> {
        match self {
            Self::None => Ok(None),
            // Without SQLCipher a key would be ignored, and the file written as it is.
            _ if !cfg!(feature = "encryption") => Err(StoreError::NoEncryption),
            Self::Given(key) => Ok(Some(key.clone())),
            Self::File(path) => from_file(path).map(Some),
            Self::Keyring(name) => match keyring::get(name)? {
                Some(key) => Ok(Some(key)),
                None => Err(StoreError::NoKeyInKeyring(name.clone())),
            },
        }
    }

    /// The same, but a keyring that has no key gets a fresh one.
    ///
    /// # Errors
    /// As for [`Self::key`].
    pub fn key_or_new(&self) -> Result<Option<SecretString>, StoreError> {
        match self {
            Self::Keyring(name) if keyring::get(name)?.is_none() => {
                let key = fresh();
                keyring::set(name, &key)?;
                Ok(Some(key))
            }
            _ => self.key(),
        }
    }
}

fn from_file(path: &PathBuf) -> Result<SecretString, StoreError> {
    let wrong = |reason: String| StoreError::KeyFile {
        path: path.clone(),
        reason,
    };
    let bytes = Zeroizing::new(std::fs::read(path).map_err(|error| wrong(error.to_string()))?);
    // Windows' editors put a byte order mark before the text, and its shell writes UTF-16.
    let (text, _, garbled) = encoding_rs::UTF_8.decode(&bytes);
    let text = Zeroizing::new(text.into_owned());
    if garbled {
        return Err(wrong("it is no text; save it as UTF-8".into()));
    }
    let key = text.trim_end_matches(['\r', '\n']);
    if key.is_empty() {
        return Err(wrong("it is empty".into()));
    }
    Ok(key.into())
}

/// A random key, in hexadecimal.
fn fresh() -> SecretString {
    let bytes: [u8; KEY_BYTES] = rand::random();
    let text = hex::encode(bytes);
    text.into()
}

/// What SQLCipher is told: 64 hexadecimal digits are the key itself, anything else is a passphrase, from which it derives one
/// (PBKDF2-HMAC-SHA512, 256,000 rounds).
pub fn sqlcipher(key: &SecretString) -> SecretString {
    let text = key.expose_secret();
    let raw = text.len() == 2 * KEY_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if raw { format!("x'{text}'").into() } else { key.clone() }
}
