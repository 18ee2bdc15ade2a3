use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{Record, TuneError};
use crate::private_file::{create_new, make_folders};

/// What was measured of a pair so far, one question a line in a file, so that a run that is ended goes on where it was. There are
/// numbers in it and no text.
pub struct State {
    path: PathBuf,
    file: File,
    records: BTreeMap<usize, Record>,
}

impl State {
    /// Where the results of the pair with this key are kept: in the user's folder for states, or for data where there is none.
    ///
    /// # Errors
    /// [`TuneError::NoHome`].
    pub fn path_of(key: &str) -> Result<PathBuf, TuneError> {
        let folder = dirs::state_dir()
            .or_else(dirs::data_local_dir)
            .ok_or(TuneError::NoHome)?;
        Ok(folder.join("costeer").join("tune").join(format!("{key}.jsonl")))
    }

    /// Reads what is there, and begins the file where there is none, or where it is to be `fresh`. A last line that was not finished is
    /// cut off.
    ///
    /// # Errors
    /// [`TuneError::State`], [`TuneError::Foreign`], and [`TuneError::Busy`] where another run has it open.
    pub fn open(path: &Path, fresh: bool) -> Result<Self, TuneError> {
        let failed = |source| TuneError::State {
            path: path.to_owned(),
            source,
        };
        make_folders(path).map_err(failed)?;
        let mut file = match create_new(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                OpenOptions::new().read(true).write(true).open(path).map_err(failed)?
            }
            made => made.map_err(failed)?,
        };
        // It is free again when the process ends, however it ends. Where a file system has no locks, nobody is kept out.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(TuneError::Busy { path: path.to_owned() });
        }
        if fresh {
            file.set_len(0).map_err(failed)?;
        }
        let mut text = String::new();
        // What was just made is empty, and open for writing alone.
        if file.metadata().map_err(failed)?.len() > 0 {
            file.read_to_string(&mut text).map_err(failed)?;
        }
        let (whole, records) = read_whole(path, &text)?;
        file.set_len(whole as u64).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            records,
        })
    }

    /// What is kept in the file at `path`, without holding it; nothing where there is none. A last line that is not finished is left out.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn kept(path: &Path) -> Result<Vec<Record>, TuneError> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text.map_err(|source| TuneError::State {
                path: path.to_owned(),
                source,
            })?,
        };
        let records = read_whole(path, &text)?.1;
        let measured = |record: &Record| !record.places.is_empty();
        Ok(records.into_values().filter(measured).collect())
    }

    /// Whether there is a result of the question with this number.
    pub fn has(&self, question: usize) -> bool {
        self.records.contains_key(&question)
    }

    /// Keeps a result.
    ///
    /// # Errors
    /// [`TuneError::State`].
    pub fn keep(&mut self, record: Record) -> Result<(), TuneError> {
        let failed = |source| TuneError::State {
            path: self.path.clone(),
            source,
        };
        let mut line = serde_json::to_vec(&record).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(failed)?;
        self.file.flush().map_err(failed)?;
        self.records.insert(record.question, record);
        Ok(())
    }

    /// The results of the first `questions` of the set that have a position.
    pub fn records(&self, questions: usize) -> Vec<Record> {
        let each = self.records.range(..questions).map(|(_, record)| record);
        each.filter(|record| !record.places.is_empty()).cloned().collect()
    }
}

/// How much of the text has whole lines, and what they say.
fn read_whole(path: &Path, text: &str) -> Result<(usize, BTreeMap<usize, Record>), TuneError> {
    let whole = text.rfind('\n').map_or(0, |last| last + 1);
    let mut records = BTreeMap::new();
    for (index, line) in text.get(..whole).unwrap_or_default().lines().enumerate() {
        let record: Record = serde_json::from_str(line).map_err(|_| TuneError::Foreign {
            path: path.to_owned(),
            line: index + 1,
        })?;
        records.insert(record.question, record);
    }
    Ok((whole, records))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(question: usize) -> Record {
        Record {
            question,
            places: vec![super::super::Place::default()],
            ..Record::default()
        }
    }

    #[test]
    fn what_was_kept_is_there_again_and_a_torn_line_is_not() {
        let folder = std::env::temp_dir().join(format!("costeer-{}", uuid::Uuid::new_v4().simple()));
        let path = folder.join("a").join("state.jsonl");
        let mut state = State::open(&path, false).unwrap();
        state.keep(record(0)).unwrap();
        state.keep(record(3)).unwrap();
        let error = State::open(&path, false).err().unwrap().to_string();
        assert!(error.contains("another"), "{error}");
        drop(state);
        let whole = std::fs::read(&path).unwrap();
        // Killed in the middle of a line, wherever that was.
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let mut state = State::open(&path, false).unwrap();
            let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!((state.has(0), state.has(3)), (lines > 0, lines > 1));
            assert_eq!(State::kept(&path).unwrap().len(), lines);
            state.keep(record(5)).unwrap();
            drop(state);
            assert_eq!(State::open(&path, false).unwrap().records(9).len(), lines + 1);
        }
        assert_eq!(State::open(&path, false).unwrap().records(4).len(), 2);
        std::fs::write(&path, "what\n").unwrap();
        let error = State::open(&path, false).err().unwrap().to_string();
        assert!(error.contains("line 1") && error.contains("--fresh"), "{error}");
        assert!(State::open(&path, true).unwrap().records(9).is_empty());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
