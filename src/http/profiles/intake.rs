use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokio::sync::mpsc::Sender;

use crate::http::ApiError;
use crate::store::import::{Batches, Entry, ImportError, Reading, Skip};
use crate::store::{Document, Imported, Profile, ProfileName, Store, StoreError};

/// Problems that are told one by one.
const TOLD: usize = 10;

/// Why an import ended early. What was written before stays.
pub enum Stopped {
    /// Nobody reads the answer any more.
    Gone,
    /// This went wrong.
    Failed(ApiError),
}

impl Stopped {
    /// The file as a whole cannot be read.
    pub fn unreadable(error: &ImportError) -> Self {
        Self::Failed(ApiError::invalid("file", error.to_string()))
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// Puts what is read of a file into the store, and says how far it is.
pub struct Intake<'a> {
    store: &'a Store,
    /// Whose documents they are that name nobody.
    own: Option<ProfileName>,
    lines: &'a Sender<Value>,
    waiting: Batches,
    imported: Imported,
    /// Those that were made, or told what to say.
    profiles: BTreeSet<ProfileName>,
    skipped: BTreeMap<Skip, u64>,
    problems: usize,
    told: Vec<String>,
}

impl<'a> Intake<'a> {
    /// Nothing yet.
    pub fn new(store: &'a Store, own: Option<ProfileName>, lines: &'a Sender<Value>) -> Self {
        Self {
            store,
            own,
            lines,
            waiting: Batches::default(),
            imported: Imported::default(),
            profiles: BTreeSet::new(),
            skipped: BTreeMap::new(),
            problems: 0,
            told: Vec::new(),
        }
    }

    /// Everything, to the last line of the answer.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn all(mut self, mut reading: Reading) -> Result<(), Stopped> {
        while let Some(entry) = reading.next() {
            match entry {
                Ok(Entry::Profile(name, profile)) => self.profile(name, &profile)?,
                Ok(Entry::Document(whose, document)) => self.document(whose, document, &reading)?,
                Ok(Entry::Skipped(skip)) => *self.skipped.entry(skip).or_default() += 1,
                Err(error) if error.is_fatal() => return Err(Stopped::unreadable(&error)),
                Err(error) => self.problem(error.to_string()),
            }
        }
        for (whose, documents) in self.waiting.rest() {
            self.write(whose, &documents)?;
        }
        let skipped: BTreeMap<String, u64> = self
            .skipped
            .iter()
            .map(|(skip, count)| (skip.to_string(), *count))
            .collect();
        let mut line = json!(self.imported);
        line["done"] = true.into();
        line["profiles"] = json!(self.profiles);
        line["skipped"] = json!(skipped);
        line["problems"] = self.problems.into();
        line["told"] = json!(self.told);
        self.say(line)
    }

    fn profile(&mut self, name: ProfileName, profile: &Profile) -> Result<(), Stopped> {
        match self.store.put_profile(&name, profile) {
            Err(error @ StoreError::TooLarge { .. }) => {
                self.problem(format!("profile {name}: {error}"));
                return Ok(());
            }
            put => put?,
        }
        self.profiles.insert(name);
        Ok(())
    }

    fn document(&mut self, whose: Option<ProfileName>, document: Document, reading: &Reading) -> Result<(), Stopped> {
        let Some(whose) = whose.or_else(|| self.own.clone()) else {
            let message = "the file does not say whose its documents are; choose or make a profile for them first";
            return Err(Stopped::Failed(ApiError::invalid("profile", message)));
        };
        let batches = self.waiting.add(whose, document);
        if batches.is_empty() {
            return Ok(());
        }
        for (whose, documents) in batches {
            self.write(whose, &documents)?;
        }
        let mut line = json!(self.imported);
        line["read"] = reading.read().into();
        line["size"] = reading.size().into();
        self.say(line)
    }

    fn write(&mut self, whose: ProfileName, documents: &[Document]) -> Result<(), Stopped> {
        let is_new = self.store.ensure_profile(&whose)?;
        self.imported.add(self.store.import(&whose, documents)?);
        if is_new {
            self.profiles.insert(whose);
        }
        Ok(())
    }

    fn problem(&mut self, what: String) {
        self.problems += 1;
        if self.told.len() < TOLD {
            self.told.push(what);
        }
    }

    fn say(&self, line: Value) -> Result<(), Stopped> {
        self.lines.blocking_send(line).map_err(|_| Stopped::Gone)
    }
}
