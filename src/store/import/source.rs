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
    opened().map_err(|source| unreadable(path, source))
}

const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// The error for a file that cannot be read.
pub fn unreadable(path: &Path, source: std::io::Error) -> ImportError {
    ImportError::Unreadable {
        path: path.to_owned(),
        source,
    }
}

/// What [`read_line`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A line, which may be empty.
    Whole,
    /// A line of more bytes than wanted. It has been passed over.
    TooLong,
    /// Nothing more.
    End,
}

/// Reads a line of up to `most` bytes into `line`, which is empty before.
pub fn read_line(source: &mut impl BufRead, line: &mut Vec<u8>, most: usize) -> Result<Line> {
    if source.by_ref().take(most as u64 + 1).read_until(b'\n', line)? == 0 {
        return Ok(Line::End);
    }
    if line.len() > most && line.last() != Some(&b'\n') {
        source.skip_until(b'\n')?;
        return Ok(Line::TooLong);
    }
    Ok(Line::Whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_passed_over() {
        let mut source: &[u8] = b"abc\n\nabcd\nab";
        let mut lines = Vec::new();
        loop {
            let mut line = Vec::new();
            let found = read_line(&mut source, &mut line, 3).unwrap();
            if found == Line::End {
                break;
            }
            lines.push((found, line.len()));
        }
        assert_eq!(
            lines,
            [(Line::Whole, 4), (Line::Whole, 1), (Line::TooLong, 4), (Line::Whole, 2)]
        );
    }
}
