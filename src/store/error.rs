use std::path::{Path, PathBuf};

use super::ProfileName;

/// Why the store could not do something. No message quotes what is in a profile.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A profile that is not there.
    #[error("there is no profile named {0}; costeer profile list shows those that are there")]
    NoSuchProfile(String),
    /// A profile that is there already.
    #[error("there is a profile named {0} already")]
    ProfileExists(String),
    /// A document that is not there.
    #[error("the profile has no document with the id {0}")]
    NoSuchDocument(i64),
    /// A preference or fact that is not there, counted from 1.
    #[error("the profile has no line {0}; costeer profile show numbers them")]
    NoSuchLine(usize),
    /// A profile or document beyond what the store takes.
    #[error("{what} is too large: {size}, at most {most}")]
    TooLarge {
        /// The part that is.
        what: &'static str,
        /// How large it is, with the unit.
        size: String,
        /// The limit, with the unit.
        most: String,
    },
    /// The operating system refused the file or its folder.
    #[error("the store {path} cannot be used: {source}; set store.path to a file you may write")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// No place for the store.
    #[error("there is no home directory to keep the store in; set store.path")]
    NoHome,
    /// Encrypted with another key, or no store at all.
    #[error("{path} is no store, or it is encrypted with another key than the one configured")]
    WrongKey {
        /// The file.
        path: PathBuf,
    },
    /// Encrypted, and there is no key.
    #[error("the store {path} is encrypted; set store.key, store.key_file or store.keyring")]
    NeedsKey {
        /// The file.
        path: PathBuf,
    },
    /// Not encrypted, though there is a key.
    #[error("the store {path} is not encrypted, though a key is configured; costeer profile encrypt encrypts it")]
    NotEncrypted {
        /// The file.
        path: PathBuf,
    },
    /// Written by a later version.
    #[error("the store {path} was written by a newer version (its form is {found}, this one knows up to {known})")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its form.
        found: i64,
        /// The latest known form.
        known: i64,
    },
    /// Deleted, but its bytes are still in the write-ahead log because somebody reads.
    #[error(
        "it is deleted, but its bytes stay in {path}-wal as long as another program keeps reading the store; \
         end that program and delete something, or open the store again"
    )]
    NotSwept {
        /// The file.
        path: PathBuf,
    },
    /// Another program has the store open.
    #[error("the store {path} is in use; end the programs that use it, costeer serve among them, and try again")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Parts of the file that contradict each other.
    #[error("the store {path} is damaged: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// SQLite refused something.
    #[error("the store {path}: {reason}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Its error code in words.
        reason: String,
    },
    /// The process is ending.
    #[error("the work on the store was cut off; look whether it was done")]
    CutOff,
    /// There is a key, and nothing that could encrypt with it.
    #[error(
        "a key for the store is configured, and this binary was built without encryption; build it with the feature encryption, which is on \
         unless --no-default-features says otherwise"
    )]
    NoEncryption,
    /// The operating system's keyring.
    #[error("store.keyring: the keyring cannot be used: {0}")]
    Keyring(String),
    /// A keyring without our key.
    #[error("store.keyring: the keyring has no key for \"{0}\"; costeer profile encrypt makes one")]
    NoKeyInKeyring(String),
    /// The file with the key.
    #[error("store.key_file = \"{path}\": {reason}")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl StoreError {
    /// For `name`.
    pub(super) fn no_such_profile(name: &ProfileName) -> Self {
        Self::NoSuchProfile(name.to_string())
    }

    /// What SQLite said, without the statement and its values.
    pub(super) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error {
            rusqlite::Error::SqliteFailure(code, _) if code.code == rusqlite::ErrorCode::NotADatabase => {
                Self::WrongKey { path }
            }
            rusqlite::Error::SqliteFailure(code, _) => Self::Sqlite {
                path,
                reason: code.to_string(),
            },
            rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..) => Self::Damaged {
                path,
                what: "a value has the wrong type".into(),
            },
            _ => Self::Sqlite {
                path,
                reason: "a statement failed".into(),
            },
        }
    }
}
