use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use walkdir::DirEntry;
use zeroize::Zeroizing;

use super::archive::Archive;
use super::entry::Skip;
use super::file::{Entries, File};
use super::format::ending;
use super::source::{self, Counter, Memory};
use super::{
    Entry, Fault, Format, ImportError, Place, Wanted, folder, json, jsonl, mail, notes, recognise, table, whatsapp,
};

type Files = Box<dyn Iterator<Item = Result<File, ImportError>> + Send>;

/// Entries on their way in. After an error that [is fatal](ImportError::is_fatal) there are no more.
pub struct Reading {
    /// What is left to read.
    files: Files,
    /// Whether there may be more than one, so that one that is unfit does not stop the others.
    many: bool,
    /// The files of the packed one that is being read.
    packed: Option<Archive>,
    current: Option<Current>,
    size: u64,
    read: Counter,
    /// How much has been read of files before the current one.
    done: u64,
    over: bool,
}

struct Current {
    path: PathBuf,
    format: Format,
    entries: Entries,
    /// How much to read it is, in bytes; nothing for a packed file, which counts as a whole.
    size: u64,
}

impl Reading {
    /// How much there is to read, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How much of it has been read, in bytes.
    pub fn read(&self) -> u64 {
        self.read.get()
    }

    /// The file that is being read, and what it is.
    pub fn file(&self) -> Option<(&Path, Format)> {
        self.current
            .as_ref()
            .map(|current| (current.path.as_path(), current.format))
    }

    fn done(&mut self, size: u64) {
        self.done += size;
        self.read.set(self.done);
    }

    /// The next file, which may be one that nothing is read of.
    fn next_file(&mut self) -> Option<Result<Option<Entry>, ImportError>> {
        if let Some(packed) = &mut self.packed {
            match packed.next() {
                Some(Ok(file)) => return Some(self.begin(file, 0)),
                Some(Err(error)) => return Some(Err(error)),
                None => self.packed = None,
            }
        }
        Some(match self.files.next()? {
            Ok(file) => {
                let size = file.size;
                self.begin(file, size)
            }
            Err(error) => Err(error),
        })
    }

    fn begin(&mut self, mut file: File, size: u64) -> Result<Option<Entry>, ImportError> {
        let path = file.path.clone();
        let unreadable = |error| ImportError::entry(&path, Place::File, Fault::Unreadable(error));
        let told = recognise::format(&path, &mut file.source);
        let told = match told {
            Ok(told) => told,
            Err(error) => {
                self.done(size);
                return Err(if self.many {
                    unreadable(error)
                } else {
                    ImportError::unreadable(&path, error)
                });
            }
        };
        let format = match (told, file.wanted.format) {
            (Some(Format::Zip), _) if self.packed.is_none() => Some(Format::Zip),
            // In a folder the choice picks files; one that is named is what it is said to be.
            (told, Some(wanted)) if self.many => told.filter(|told| *told == wanted || is_kind_of(*told, wanted)),
            (_, Some(wanted)) => Some(wanted),
            (told, None) => told.filter(|told| *told != Format::Zip),
        };
        let Some(format) = format else {
            self.done(size);
            if !self.many {
                return Err(ImportError::UnknownFormat { path });
            }
            return Ok(Some(Entry::Skipped(Skip::Kind(ending(&path)))));
        };
        if format == Format::Zip {
            self.done(size);
            self.many = true;
            self.packed = Some(
                Archive::open(&path, &file.place, file.memory, file.wanted).map_err(|error| self.softened(error))?,
            );
            return Ok(None);
        }
        match entries(file, format) {
            Ok(entries) => {
                self.current = Some(Current {
                    path,
                    format,
                    entries,
                    size,
                });
                Ok(None)
            }
            Err(error) => {
                self.done(size);
                Err(self.softened(error))
            }
        }
    }

    fn softened(&self, error: ImportError) -> ImportError {
        if self.many && error.is_fatal() {
            ImportError::OfMany(Box::new(error))
        } else {
            error
        }
    }
}

impl Iterator for Reading {
    type Item = Result<Entry, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.over {
            let next = match &mut self.current {
                Some(current) => match current.entries.next() {
                    Some(entry) => entry.map_err(|error| self.softened(error)),
                    None => {
                        let size = current.size;
                        self.current = None;
                        self.done(size);
                        continue;
                    }
                },
                None => match self.next_file()? {
                    Ok(None) => continue,
                    Ok(Some(entry)) => Ok(entry),
                    Err(error) => Err(error),
                },
            };
            self.over = next.as_ref().is_err_and(ImportError::is_fatal);
            return Some(next);
        }
        None
    }
}

/// Whether files of the one format are what somebody wants who names the other.
fn is_kind_of(told: Format, wanted: Format) -> bool {
    matches!(
        (told, wanted),
        (Format::Json, Format::Chats | Format::Jsonl) | (Format::Jsonl, Format::Json) | (Format::Chats, Format::Notes)
    )
}

fn entries(file: File, format: Format) -> Result<Entries, ImportError> {
    Ok(match format {
        Format::Jsonl => jsonl::entries(file)?,
        Format::Json | Format::Zip => json::entries(file),
        Format::Csv => table::entries(file)?,
        Format::Notes => notes::entries(file),
        Format::Mail => mail::entries(file)?,
        Format::Chats if ending(&file.path) == "txt" => whatsapp::entries(file),
        Format::Chats => json::entries(file),
    })
}

/// Opens `path`, a file or a folder, to read it as `wanted` says.
///
/// # Errors
/// An [`ImportError`] that says why nothing of it can be read.
pub fn open(path: &Path, wanted: &Wanted) -> Result<Reading, ImportError> {
    let unreadable = |error| ImportError::unreadable(path, error);
    let metadata = path.metadata().map_err(unreadable)?;
    let place = path.canonicalize().map_err(unreadable)?;
    let (read, wanted) = (Counter::default(), Arc::new(wanted.clone()));
    let many = metadata.is_dir();
    let (files, size): (Files, u64) = if many {
        std::fs::read_dir(path).map_err(unreadable)?;
        let sizes = folder::files(path)
            .flatten()
            .filter_map(|entry| Some(entry.metadata().ok()?.len()));
        let size = sizes.sum();
        let (root, counter) = (path.to_owned(), read.clone());
        let skipped = |entry: &Result<DirEntry, ImportError>| {
            entry
                .as_ref()
                .is_ok_and(|entry| folder::is_by_product(entry.path(), |path| path.exists()))
        };
        let files = folder::files(path)
            .filter(move |entry| !skipped(entry))
            .map(move |entry| {
                let entry = entry?;
                let relative = entry.path().strip_prefix(&root).unwrap_or(entry.path());
                let place = place.join(relative);
                on_disk(entry.path(), place, &counter, &wanted).map_err(|error| ImportError::OfMany(Box::new(error)))
            });
        (Box::new(files), size)
    } else {
        let file = on_disk(path, place, &read, &wanted)?;
        let size = file.size;
        (Box::new(std::iter::once(Ok(file))), size)
    };
    Ok(Reading {
        files,
        many,
        packed: None,
        current: None,
        size,
        read,
        done: 0,
        over: false,
    })
}

/// Reads a file that somebody has handed over with its name, which may have folders in it. One of no known kind is skipped, because there may
/// be others beside it.
///
/// # Errors
/// As for [`open`].
pub fn given(
    name: &Path,
    bytes: Zeroizing<Vec<u8>>,
    modified: Option<Timestamp>,
    wanted: &Wanted,
) -> Result<Reading, ImportError> {
    // It may be a whole path of somebody else's machine.
    let path: PathBuf = name
        .components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect();
    let (read, memory) = (Counter::default(), Memory::new(bytes));
    let source = memory.open(read.clone());
    let source = source.map_err(|error| ImportError::unreadable(&path, error))?;
    let file = File {
        place: Path::new("/").join(&path),
        path,
        modified,
        size: memory.size(),
        source,
        memory: Some(memory),
        wanted: Arc::new(wanted.clone()),
    };
    Ok(Reading {
        size: file.size,
        files: Box::new(std::iter::once(Ok(file))),
        many: true,
        packed: None,
        current: None,
        read,
        done: 0,
        over: false,
    })
}

fn on_disk(path: &Path, place: PathBuf, read: &Counter, wanted: &Arc<Wanted>) -> Result<File, ImportError> {
    let metadata = path.metadata().map_err(|error| ImportError::unreadable(path, error))?;
    Ok(File {
        path: path.to_owned(),
        place,
        modified: metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok()),
        size: metadata.len(),
        source: source::open(path, read.clone())?,
        memory: None,
        wanted: Arc::clone(wanted),
    })
}
