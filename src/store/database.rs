//! The connections to the file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use secrecy::{ExposeSecret, SecretString};

use super::file::{is_plain, make, share};
use super::schema::{self, LATEST};
use super::trouble::Trouble;
use super::{StoreError, copies, key};

/// How long a connection waits for another one to finish writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long one try to empty the log may keep other writers waiting, and how long they then get.
const SWEEP: Duration = Duration::from_millis(250);
const PAUSE: Duration = Duration::from_millis(50);
/// Idle connections that are kept for the next readers.
const KEPT: usize = 8;
/// Compiled statements that a connection keeps.
const STATEMENTS: usize = 64;
/// One SQLite file: a connection that writes, and as many that read as are needed.
///
/// In the write-ahead log's mode readers and the writer do not wait for each other. Writers, other programs' included, take
/// turns.
pub struct Database {
    path: PathBuf,
    key: Option<SecretString>,
    writer: Mutex<Connection>,
    /// Connections that nobody reads with at the moment.
    idle: Mutex<Vec<Connection>>,
    /// Readers share this lock, and emptying the log takes it alone. Otherwise readers that overlap could keep the log from ever being
    /// emptied.
    reading: RwLock<()>,
    /// Held until the database is closed: who replaces the file waits for nobody, and nobody opens it meanwhile.
    _lock: Option<File>,
}

impl Database {
    /// Opens the file. Where there is none it is made, and only its owner may read it.
    ///
    /// # Errors
    /// A [`StoreError`] naming the file.
    pub fn open(path: &Path, key: Option<SecretString>) -> Result<Self, StoreError> {
        let trouble = |source| StoreError::File {
            path: path.to_owned(),
            source,
        };
        make(path).map_err(trouble)?;
        Self::open_locked(path, key, share(path).map_err(trouble)?)
    }

    /// The same for a file that is there, under a lock that has been taken.
    ///
    /// # Errors
    /// A [`StoreError`] naming the file.
    pub fn open_locked(path: &Path, key: Option<SecretString>, lock: Option<File>) -> Result<Self, StoreError> {
        let plain = is_plain(path);
        match (&key, plain) {
            (Some(_), Some(true)) => return Err(StoreError::NotEncrypted { path: path.into() }),
            (None, Some(false)) => return Err(StoreError::NeedsKey { path: path.into() }),
            _ => {}
        }
        let writer = connect(path, key.as_ref())?;
        let database = Self {
            path: path.to_owned(),
            key,
            writer: Mutex::new(writer),
            idle: Mutex::default(),
            reading: RwLock::default(),
            _lock: lock,
        };
        database.migrate()?;
        Ok(database)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn migrate(&self) -> Result<(), StoreError> {
        let found = self.read(schema::version)?;
        if found > LATEST {
            return Err(StoreError::Newer {
                path: self.path.clone(),
                found,
                known: LATEST,
            });
        }
        if found == LATEST {
            return Ok(());
        }
        self.write(|transaction| {
            // Another program may have been faster.
            let found = schema::version(transaction)?;
            if found < LATEST {
                schema::migrate(transaction, found)?;
                if found == 1 {
                    copies::recognise(transaction)?;
                }
            }
            Ok(())
        })
    }

    /// Runs `work` on the file as it is at one moment.
    ///
    /// # Errors
    /// Whatever `work` says, or SQLite.
    pub fn read<T, E: Into<Trouble>>(&self, work: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, StoreError> {
        let _reading = self.reading.read().unwrap_or_else(PoisonError::into_inner);
        let mut reader = self.reader()?;
        let done = (|| {
            let transaction = reader.transaction()?;
            work(&transaction).map_err(Into::into)
        })();
        // If `work` panics, the connection is dropped, which ends its transaction.
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(reader);
        }
        done.map_err(|trouble| self.explain(trouble))
    }

    /// Runs `work` in a transaction that is on disk when this returns, or has not happened.
    ///
    /// # Errors
    /// Whatever `work` says, or SQLite.
    pub fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble>) -> Result<T, StoreError> {
        let mut writer = self.writer();
        let done = (|| {
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })();
        done.map_err(|trouble| self.explain(trouble))
    }

    /// Runs `work` in a transaction of a connection of its own, which is rolled back.
    ///
    /// # Errors
    /// Whatever `work` says, or SQLite.
    pub fn apart<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble>) -> Result<T, StoreError> {
        let mut connection = connect(&self.path, self.key.as_ref())?;
        let done = (|| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            work(&transaction)
        })();
        done.map_err(|trouble| self.explain(trouble))
    }

    /// The connection that writes, once all others of this program are closed.
    pub fn alone(&self) -> MutexGuard<'_, Connection> {
        self.idle().clear();
        self.writer()
    }

    /// Empties the write-ahead log into the file and cuts it, so that what was deleted is nowhere any more.
    ///
    /// # Errors
    /// [`StoreError::NotSwept`] when another program keeps reading for too long.
    pub fn sweep(&self) -> Result<(), StoreError> {
        let begun = Instant::now();
        loop {
            if self.try_to_sweep()? {
                return Ok(());
            }
            if begun.elapsed() > BUSY_TIMEOUT {
                return Err(StoreError::NotSwept {
                    path: self.path.clone(),
                });
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// False where another program's readers were in the way.
    fn try_to_sweep(&self) -> Result<bool, StoreError> {
        let writer = self.writer();
        let _nobody_reads = self.reading.write().unwrap_or_else(PoisonError::into_inner);
        let swept = (|| {
            // Other writers have to wait meanwhile.
            writer.busy_timeout(SWEEP)?;
            let busy = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
            writer.busy_timeout(BUSY_TIMEOUT)?;
            busy.map(|busy| !busy)
        })();
        match swept {
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => Ok(false),
            swept => swept.map_err(|error| StoreError::sqlite(&self.path, &error)),
        }
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        // A panic in between has rolled its transaction back.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> Result<Connection, StoreError> {
        let idle = self.idle().pop();
        idle.map_or_else(|| connect(&self.path, self.key.as_ref()), Ok)
    }

    fn explain(&self, trouble: Trouble) -> StoreError {
        match trouble {
            Trouble::Sqlite(error) => StoreError::sqlite(&self.path, &error),
            Trouble::Store(error) => error,
        }
    }
}

fn connect(path: &Path, key: Option<&SecretString>) -> Result<Connection, StoreError> {
    let opened = Connection::open(path).and_then(|connection| prepare(connection, key));
    opened.map_err(|error| StoreError::sqlite(path, &error))
}

fn prepare(connection: Connection, key: Option<&SecretString>) -> rusqlite::Result<Connection> {
    if let Some(key) = key {
        // SQLCipher would also write to standard error what becomes a `StoreError` anyway.
        connection.pragma_update(None, "cipher_log_level", "NONE")?;
        connection.pragma_update(None, "key", key::sqlcipher(key).expose_secret())?;
    }
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // FULL: what has been acknowledged survives a power cut, too. Temporary tables would be files with private text in them.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA secure_delete = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;",
    )?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}
