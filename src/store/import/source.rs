use std::fs::File;
use std::io::{BufRead, BufReader, Read, Result};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ImportError;

/// Bytes read so far; clones count together.
#[derive(Clone, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// The count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts `bytes` more.
    pub fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A file that counts what is read of it.
pub struct Counted {
    file: File,
    read: Counter,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let bytes = self.file.read(buffer)?;
        self.read.add(bytes as u64);
        Ok(bytes)
    }
}

/// A file being read.
pub type Source = BufReader<Counted>;

/// Opens the file at `path` and tells its size in bytes. An UTF-8 byte order mark at its beginning is skipped.
pub fn open(path: &Path, read: Counter) -> std::result::Result<(Source, u64), ImportError> {
    let opened = || {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut source = BufReader::new(Counted { file, read });
        if source.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
            source.consume(BYTE_ORDER_MARK.len());
        }
        Ok((source, size))
    };
    opened().map_err(|source| ImportError::unreadable(path, source))
}

const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();
