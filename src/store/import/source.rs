use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Result};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use encoding_rs_io::DecodeReaderBytesBuilder;

use super::ImportError;

/// Bytes read so far; clones count together.
#[derive(Clone, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// The count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Makes it `bytes`.
    pub fn set(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A file that counts what is read of it.
struct Counted {
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

/// A file being read. What was UTF-16 is UTF-8 already, and byte order marks are gone; other encodings are as they were.
pub type Source = Box<dyn BufRead + Send>;

/// Opens the file at `path`.
pub fn open(path: &Path, read: Counter) -> std::result::Result<Source, ImportError> {
    let opened = || {
        decoded(Counted {
            file: File::open(path)?,
            read,
        })
    };
    opened().map_err(|source| ImportError::unreadable(path, source))
}

/// A file that is in memory.
pub fn from_bytes(bytes: Vec<u8>) -> Result<Source> {
    decoded(Cursor::new(bytes))
}

fn decoded(raw: impl Read + Send + 'static) -> Result<Source> {
    let mut raw = BufReader::with_capacity(BUFFER, raw);
    let begin = raw.fill_buf()?;
    let (encoding, mark) = Encoding::for_bom(begin).map_or((None, 0), |(encoding, mark)| (Some(encoding), mark));
    // Without a mark UTF-16 shows by the halves of its plain letters.
    let encoding = encoding.or(match begin {
        [1..=255, 0, 1..=255, 0, ..] => Some(UTF_16LE),
        [0, 1..=255, 0, 1..=255, ..] => Some(UTF_16BE),
        _ => None,
    });
    raw.consume(mark);
    let wide = encoding.filter(|encoding| [UTF_16LE, UTF_16BE].contains(encoding));
    if wide.is_none() {
        return Ok(Box::new(raw));
    }
    let decoded = DecodeReaderBytesBuilder::new()
        .encoding(wide)
        .bom_sniffing(false)
        .build(raw);
    Ok(Box::new(BufReader::with_capacity(BUFFER, decoded)))
}

const BUFFER: usize = 64 << 10;
