//! The file itself: making it, who may read it, and whether it is encrypted.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::private_file::{create_new, make_folders};

/// What every SQLite file begins with that is not encrypted.
const PLAIN_HEADER: &[u8; 16] = b"SQLite format 3\0";

/// Makes the file and the folders above it, if they are not there. SQLite gives its log the file's rights.
pub fn make(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return keep_private(path);
    }
    make_folders(path)?;
    match create_new(path) {
        // Another program has just been faster.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && path.is_file() => Ok(()),
        made => made.map(drop),
    }
}

/// Waits until nobody replaces the file, and keeps others from replacing it until what it gives is dropped. `None` where the file system
/// has no locks.
pub fn share(path: &Path) -> std::io::Result<Option<File>> {
    // What is no file says so itself when it is opened.
    if !path.is_file() {
        return Ok(None);
    }
    let lock = lock_file(path)?;
    locked(lock.lock_shared(), lock)
}

/// Keeps others from opening the file until what it gives is dropped; an error of [`WouldBlock`](std::io::ErrorKind::WouldBlock) where
/// somebody has it open. `None` where the file system has no locks.
pub fn own(path: &Path) -> std::io::Result<Option<File>> {
    let lock = lock_file(path)?;
    locked(lock.try_lock().map_err(std::io::Error::from), lock)
}

fn locked(tried: std::io::Result<()>, lock: File) -> std::io::Result<Option<File>> {
    match tried {
        Err(error) if error.kind() == std::io::ErrorKind::Unsupported => Ok(None),
        tried => tried.map(|()| Some(lock)),
    }
}

/// An empty file beside the store. The store itself cannot be locked, because it is another file after it has been replaced.
fn lock_file(path: &Path) -> std::io::Result<File> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    match create_new(Path::new(&beside)) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => File::open(beside),
        made => made,
    }
}

/// Takes everybody else's rights from the file and its log, wherever they came from: a copy, a backup, an older version.
#[cfg(unix)]
fn keep_private(path: &Path) -> std::io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        use std::os::unix::fs::PermissionsExt;
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        let Ok(metadata) = fs::metadata(&file) else {
            continue;
        };
        if metadata.permissions().mode() & 0o077 != 0 {
            let kept = fs::set_permissions(&file, fs::Permissions::from_mode(0o600));
            // Only the owner can change it. Others may have been allowed to read the file.
            kept.or_else(|error| {
                if error.kind() == std::io::ErrorKind::PermissionDenied {
                    Ok(())
                } else {
                    Err(error)
                }
            })?;
        }
    }
    Ok(())
}

/// Windows keeps what lies in a person's own folders from other people, and files have no rights that would go with a copy.
#[cfg(not(unix))]
fn keep_private(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Whether the file can be read without a key; `None` where nothing has been written yet.
pub fn is_plain(path: &Path) -> Option<bool> {
    let mut header = [0; PLAIN_HEADER.len()];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut header))
        .ok()?;
    Some(&header == PLAIN_HEADER)
}
