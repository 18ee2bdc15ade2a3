use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::line::{self, Line};
use super::source::Source;
use super::{Entry, Fault, ImportError, Place, record};

/// A file with a record of JSON on every line. Blank lines do not count as records.
pub struct Records {
    path: PathBuf,
    source: Source,
    /// The number of the line last read.
    line: u64,
    /// What is left of that line.
    entries: VecDeque<record::Read>,
}

impl Records {
    /// Reads `source`, which is called `path` in errors.
    pub fn new(path: &Path, source: Source) -> Self {
        Self {
            path: path.to_owned(),
            source,
            line: 0,
            entries: VecDeque::new(),
        }
    }

    fn error(&self, item: Option<usize>, fault: Fault) -> ImportError {
        let line = self.line;
        let place = item.map_or(Place::Line(line), |item| Place::Item { line, item });
        ImportError::entry(&self.path, place, fault)
    }
}

impl Iterator for Records {
    type Item = Result<Entry, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((item, entry)) = self.entries.pop_front() {
                return Some(entry.map_err(|fault| self.error(item, fault)));
            }
            let mut bytes = Zeroizing::new(Vec::new());
            self.line += 1;
            match line::read_line(&mut self.source, &mut bytes, line::MOST_BYTES) {
                Ok(Line::End) => return None,
                Ok(Line::TooLong) => return Some(Err(self.error(None, Fault::LineTooLong))),
                Ok(Line::Whole) if bytes.trim_ascii().is_empty() => {}
                Ok(Line::Whole) => match parse(&bytes) {
                    Ok(value) => self.entries = record::read(value).into(),
                    Err(fault) => return Some(Err(self.error(None, fault))),
                },
                Err(source) => return Some(Err(ImportError::unreadable(&self.path, source))),
            }
        }
    }
}

fn parse(line: &[u8]) -> Result<serde_json::Value, Fault> {
    let text = std::str::from_utf8(line).map_err(|_| Fault::NotUtf8)?;
    // What serde_json says could quote the line; where it says so cannot.
    serde_json::from_str(text).map_err(|error| Fault::NotJson { column: error.column() })
}
