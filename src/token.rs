//! The token that stands for the person whose machine this is, where no `server.api_key` is set.
//!
//! It lies beside the store, in a file that nobody else may read. Whoever can read it may use profiles and configured contexts.

use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::private_file::{create_new, make_folders};

/// Random bytes of a token; it is written in hexadecimal.
const BYTES: usize = 32;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read or made.
    #[error("cannot use the token's file {path}: {source}; set server.api_key where no file can be made")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Others may read or change the file.
    #[error("the token's file {path} {reason}; delete it, and the next start makes a new one")]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
}

/// Where the token of the store in `store` is: beside it.
pub fn path(store: &Path) -> PathBuf {
    let mut name = store.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".token");
    store.with_file_name(name)
}

/// The token in the file, which is made where there is none.
///
/// # Errors
/// A [`TokenError`] naming the file.
pub fn load_or_make(path: &Path) -> Result<SecretString, TokenError> {
    let failed = |source| TokenError::File {
        path: path.to_owned(),
        source,
    };
    match make(path) {
        Ok(token) => Ok(token),
        // Here since an earlier start; or another one has just been faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(path),
        Err(error) => Err(failed(error)),
    }
}

fn make(path: &Path) -> std::io::Result<SecretString> {
    make_folders(path)?;
    let bytes: Zeroizing<[u8; BYTES]> = Zeroizing::new(rand::random());
    let text: Zeroizing<String> = Zeroizing::new(hex::encode(*bytes));
    // Under another name first: whoever finds the file must find a whole token in it.
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(format!(".{:08x}", rand::random::<u32>()));
    let fresh = PathBuf::from(fresh);
    let mut file = create_new(&fresh)?;
    let placed = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&fresh, path));
    fs::remove_file(&fresh)?;
    placed.map(|()| SecretString::from(text.as_str()))
}

fn read(path: &Path) -> Result<SecretString, TokenError> {
    let unsafe_because = |reason| TokenError::Unsafe {
        path: path.to_owned(),
        reason,
    };
    let failed = |source| TokenError::File {
        path: path.to_owned(),
        source,
    };
    let metadata = fs::symlink_metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(unsafe_because("is no plain file"));
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0 {
        return Err(unsafe_because("can be read or changed by others"));
    }
    #[cfg(target_os = "linux")]
    if std::os::unix::fs::MetadataExt::uid(&metadata) != rustix::process::geteuid().as_raw() {
        return Err(unsafe_because("belongs to another user"));
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
    let token = text.trim();
    if token.len() != 2 * BYTES || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(unsafe_because("does not hold a token"));
    }
    Ok(SecretString::from(token))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_token_is_made_once_for_its_owner_alone() {
        let folder = std::env::temp_dir().join(format!("costeer-{}", uuid::Uuid::new_v4().simple()));
        let file = path(&folder.join("profiles.db"));
        assert!(file.ends_with("profiles.db.token"));
        let made = load_or_make(&file).unwrap();
        assert_eq!(made.expose_secret().len(), 2 * BYTES);
        assert_eq!(load_or_make(&file).unwrap().expose_secret(), made.expose_secret());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
            assert!(load_or_make(&file).unwrap_err().to_string().contains("by others"));
            fs::remove_file(&file).unwrap();
            std::os::unix::fs::symlink(folder.join("elsewhere"), &file).unwrap();
            assert!(load_or_make(&file).unwrap_err().to_string().contains("no plain file"));
            assert!(!folder.join("elsewhere").exists());
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
