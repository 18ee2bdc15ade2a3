//! What an import would read, without storing it.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cli::CommandError;
use crate::foreign::escaped;
use crate::store::import::{Entry, Format, ImportError};

/// The files of a path, each with what is in it, told one after the other.
#[derive(Default)]
pub struct Listed {
    file: Option<(PathBuf, Format)>,
    profiles: u64,
    documents: u64,
}

impl Listed {
    /// Counts an entry of `file`.
    pub fn entry(
        &mut self,
        file: Option<(&Path, Format)>,
        entry: &Result<Entry, ImportError>,
    ) -> Result<(), CommandError> {
        let Some((path, format)) = file else { return Ok(()) };
        if self.file.as_ref().is_none_or(|(current, _)| current != path) {
            self.end()?;
            self.file = Some((path.to_owned(), format));
        }
        match entry {
            Ok(Entry::Profile(..)) => self.profiles += 1,
            Ok(Entry::Document(..)) => self.documents += 1,
            Ok(Entry::Skipped(_)) | Err(_) => {}
        }
        Ok(())
    }

    /// Tells of the last file.
    pub fn end(&mut self) -> Result<(), CommandError> {
        let (profiles, documents) = (std::mem::take(&mut self.profiles), std::mem::take(&mut self.documents));
        let Some((path, format)) = self.file.take() else {
            return Ok(());
        };
        let path = escaped(&path.display().to_string());
        let whose = if profiles > 0 {
            format!(", {profiles} profiles")
        } else {
            String::new()
        };
        say(&format!("{:5}  {documents:>7} documents{whose}  {path}", format.name()))
    }
}

/// A line on standard output, at once.
pub fn say(line: &str) -> Result<(), CommandError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(CommandError::Output)
}
