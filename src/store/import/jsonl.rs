use std::collections::VecDeque;
use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::file::{Entries, File, until_fatal};
use super::json::mend;
use super::line::{self, Line};
use super::source::Source;
use super::{Entry, Fault, ImportError, Place, Wanted, json, record};

/// The entries in `file`, which has a value of JSON on every line.
///
/// # Errors
/// An [`ImportError`] where it cannot be read.
pub fn entries(mut file: File) -> Result<Entries, ImportError> {
    let begin = file
        .source
        .fill_buf()
        .map_err(|error| ImportError::unreadable(&file.path, error))?;
    // Some programs call a list so, or write a record over several lines.
    let begin = begin.trim_ascii_start();
    let first = begin
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    if begin.len() > first.len() && matches!(first, [b'[' | b'{'])
        || (first.starts_with(b"[{") && !first.ends_with(b"}"))
    {
        return Ok(json::entries(file));
    }
    Ok(until_fatal(Records {
        path: file.path,
        place: file.place,
        wanted: file.wanted,
        source: file.source,
        line: 0,
        entries: VecDeque::new(),
    }))
}

/// Blank lines do not count as records.
struct Records {
    path: PathBuf,
    place: PathBuf,
    wanted: Arc<Wanted>,
    source: Source,
    /// The number of the line last read.
    line: u64,
    /// What is left of that line.
    entries: VecDeque<record::Read>,
}

impl Records {
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
                    Ok(value) => self.entries = json::read(value, &self.place, &self.wanted).into(),
                    Err(fault) => return Some(Err(self.error(None, fault))),
                },
                Err(source) => return Some(Err(ImportError::unreadable(&self.path, source))),
            }
        }
    }
}

fn parse(line: &[u8]) -> Result<serde_json::Value, Fault> {
    // What serde_json says could quote the line; where it says so cannot.
    serde_json::from_slice(line).or_else(|error| mend::parse(line).ok_or(Fault::NotJson { column: error.column() }))
}
