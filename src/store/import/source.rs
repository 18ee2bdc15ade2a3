use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Result};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use encoding_rs_io::DecodeReaderBytesBuilder;
use zeroize::Zeroizing;

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

/// Something that counts what is read of it.
struct Counted<R> {
    raw: R,
    read: Counter,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let bytes = self.raw.read(buffer)?;
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
            raw: File::open(path)?,
            read,
        })
    };
    opened().map_err(|source| ImportError::unreadable(path, source))
}

/// A file out of a packed one.
pub fn from_bytes(bytes: Vec<u8>) -> Result<Source> {
    decoded(Cursor::new(bytes))
}

/// A file that somebody has handed over whole. Clones share its bytes, which are wiped with the last of them.
#[derive(Clone)]
pub struct Memory(Arc<Zeroizing<Vec<u8>>>);

impl Memory {
    /// Of these bytes.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(Arc::new(bytes))
    }

    /// How many there are.
    pub fn size(&self) -> u64 {
        self.0.len() as u64
    }

    /// Opens it.
    pub fn open(&self, read: Counter) -> Result<Source> {
        let raw = Cursor::new(self.clone());
        decoded(Counted { raw, read })
    }
}

impl AsRef<[u8]> for Memory {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
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
