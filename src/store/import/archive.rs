//! Packed files.

use std::fs::File as DiskFile;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use flate2::read::DeflateDecoder;
use jiff::tz::TimeZone;
use zip::{CompressionMethod, ZipArchive};

use super::file::File;
use super::folder::is_by_product;
use super::source::Memory;
use super::{Fault, ImportError, Place, Wanted, source};

/// The largest file that is unpacked, in bytes.
const MOST_BYTES: u64 = 1 << 30;

/// Where a packed file's bytes are.
trait Packed: Read + Seek + Send {}

impl<R: Read + Seek + Send> Packed for R {}

/// The files in a ZIP file, one after the other.
pub struct Archive {
    path: PathBuf,
    place: PathBuf,
    zip: ZipArchive<Box<dyn Packed>>,
    wanted: Arc<Wanted>,
    next: usize,
}

impl Archive {
    /// Opens the file at `path`, whose absolute place is `place`; `memory` is what is in it where it is not on the disk.
    pub fn open(path: &Path, place: &Path, memory: Option<Memory>, wanted: Arc<Wanted>) -> Result<Self, ImportError> {
        let packed: Box<dyn Packed> = match memory {
            Some(memory) => Box::new(Cursor::new(memory)),
            None => {
                let file = DiskFile::open(path).map_err(|error| ImportError::unreadable(path, error))?;
                Box::new(BufReader::new(file))
            }
        };
        let zip = ZipArchive::new(packed).map_err(|_| ImportError::Unfit {
            path: path.to_owned(),
            reason: "is no ZIP file, or not a whole one; load it down once more",
        })?;
        Ok(Self {
            path: path.to_owned(),
            place: place.to_owned(),
            zip,
            wanted,
            next: 0,
        })
    }

    fn file(&mut self, index: usize) -> Option<Result<File, ImportError>> {
        // A name may be a whole path of somebody else's machine, or of this one.
        let name = Path::new(self.zip.name_for_index(index)?);
        let name: PathBuf = name
            .components()
            .filter(|part| matches!(part, Component::Normal(_)))
            .collect();
        let hidden = name
            .iter()
            .any(|part| part.as_encoded_bytes().starts_with(b".") || part == "__MACOSX");
        let zip = &self.zip;
        if hidden
            || is_by_product(&name, |path| {
                path.to_str().is_some_and(|path| zip.index_for_name(path).is_some())
            })
        {
            return None;
        }
        let path = self.path.join(&name);
        match unpacked(&mut self.zip, index) {
            Ok(None) => None,
            Ok(Some((bytes, modified))) => {
                let size = bytes.len() as u64;
                let source = match source::from_bytes(bytes) {
                    Ok(source) => source,
                    Err(error) => return Some(Err(ImportError::entry(&path, Place::File, Fault::Unreadable(error)))),
                };
                Some(Ok(File {
                    place: self.place.join(&name),
                    path,
                    modified,
                    size,
                    source,
                    memory: None,
                    wanted: Arc::clone(&self.wanted),
                }))
            }
            Err(fault) => Some(Err(ImportError::entry(&path, Place::File, fault))),
        }
    }
}

impl Iterator for Archive {
    type Item = Result<File, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.next < self.zip.len() {
            let index = self.next;
            self.next += 1;
            if let Some(file) = self.file(index) {
                return Some(file);
            }
        }
        None
    }
}

type Unpacked = (Vec<u8>, Option<jiff::Timestamp>);

/// The file's bytes and when it was changed; `None` for a folder.
fn unpacked(zip: &mut ZipArchive<Box<dyn Packed>>, index: usize) -> Result<Option<Unpacked>, Fault> {
    let file = zip
        .by_index_raw(index)
        .map_err(|_| Fault::Packed("its head is damaged"))?;
    if !file.is_file() {
        return Ok(None);
    }
    if file.encrypted() {
        return Err(Fault::Packed("it has a password; unpack it first"));
    }
    let (size, checksum, method) = (file.size(), file.crc32(), file.compression());
    if size > MOST_BYTES {
        return Err(Fault::Packed("it is larger than 1 GiB; unpack it first"));
    }
    let modified = file.last_modified().and_then(|time| {
        let (month, day) = (time.month().try_into().ok()?, time.day().try_into().ok()?);
        let (hour, minute) = (time.hour().try_into().ok()?, time.minute().try_into().ok()?);
        let time = jiff::civil::DateTime::new(time.year().try_into().ok()?, month, day, hour, minute, 0, 0).ok()?;
        TimeZone::UTC.to_timestamp(time).ok()
    });
    let mut bytes = Vec::new();
    let read = match method {
        CompressionMethod::Stored => file.take(MOST_BYTES).read_to_end(&mut bytes),
        // The crate's own reader of this method is a feature of its own.
        _ if method_number(method) == DEFLATE => DeflateDecoder::new(file).take(MOST_BYTES).read_to_end(&mut bytes),
        _ => return Err(Fault::Packed("its way of packing is not known; unpack it first")),
    };
    read.map_err(|_| Fault::Packed("it is damaged"))?;
    let mut sum = flate2::Crc::new();
    sum.update(&bytes);
    if sum.sum() != checksum {
        return Err(Fault::Packed("its checksum is wrong"));
    }
    Ok(Some((bytes, modified)))
}

const DEFLATE: u16 = 8;

#[allow(deprecated, reason = "the number has no other name while the crate's feature is off")]
fn method_number(method: CompressionMethod) -> u16 {
    method.to_u16()
}
