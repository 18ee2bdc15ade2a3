use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::arguments::ImportArguments;
use super::open::named;
use crate::cli::CommandError;
use crate::foreign::escaped;
use crate::store::import::{self, Entry, open};
use crate::store::{Document, Imported, Profile, ProfileName, Store, StoreError};

/// Documents of one profile that are written in one transaction.
const BATCH: usize = 256;
/// The most text that waits for that, in bytes: files may go from profile to profile.
const MOST_WAITING: usize = 32 << 20;
/// Problems that are told one by one.
const TOLD: usize = 10;

pub fn run(store: &Store, arguments: &ImportArguments) -> Result<ExitCode, CommandError> {
    let own = arguments.profile.as_deref().map(named).transpose()?;
    let mut importer = Importer {
        store,
        json: arguments.json,
        own,
        waiting: BTreeMap::new(),
        bytes: 0,
        imported: Imported::default(),
        profiles: BTreeSet::new(),
        problems: 0,
        bar: bar(),
    };
    for path in &arguments.paths {
        let read = importer.file(path, arguments.format.map(Into::into));
        // What has been read is kept, whatever came after it.
        importer.flush()?;
        read?;
    }
    importer.finish()
}

/// Shown on standard error where that is a terminal.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {eta}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Collects documents of a profile until there are enough for a transaction.
struct Importer<'a> {
    store: &'a Store,
    json: bool,
    /// Whose documents they are that name nobody.
    own: Option<ProfileName>,
    waiting: BTreeMap<ProfileName, Vec<Document>>,
    /// The length of their texts.
    bytes: usize,
    imported: Imported,
    /// Those that were made, or told what to say.
    profiles: BTreeSet<ProfileName>,
    problems: usize,
    bar: ProgressBar,
}

impl Importer<'_> {
    fn file(&mut self, path: &Path, format: Option<import::Format>) -> Result<(), CommandError> {
        let format = match format {
            Some(format) => format,
            None => import::Format::of(path)?,
        };
        let mut reading = open(path, format)?;
        let (before, size) = (self.bar.position(), reading.size());
        self.bar.inc_length(size);
        while let Some(entry) = reading.next() {
            match entry {
                Ok(Entry::Profile(name, profile)) => self.profile(&name, &profile)?,
                Ok(Entry::Document(whose, document)) => self.document(whose, document, path)?,
                Err(error) if error.is_fatal() => return Err(error.into()),
                Err(error) => self.problem(&error.to_string())?,
            }
            self.bar.set_position(before + reading.read());
        }
        self.bar.set_position(before + size);
        Ok(())
    }

    fn profile(&mut self, name: &ProfileName, profile: &Profile) -> Result<(), CommandError> {
        match self.store.put_profile(name, profile) {
            Err(error @ StoreError::TooLarge { .. }) => return self.problem(&format!("profile {name}: {error}")),
            put => put?,
        }
        self.profiles.insert(name.clone());
        Ok(())
    }

    fn document(&mut self, whose: Option<ProfileName>, document: Document, path: &Path) -> Result<(), CommandError> {
        let Some(whose) = whose.or_else(|| self.own.clone()) else {
            return Err(CommandError::Usage(format!(
                "{} does not say whose its documents are; name a profile with --profile",
                path.display()
            )));
        };
        self.bytes += document.text.as_private_str().len();
        let waiting = self.waiting.entry(whose.clone()).or_default();
        waiting.push(document);
        if waiting.len() >= BATCH
            && let Some(documents) = self.waiting.remove(&whose)
        {
            self.write(&whose, &documents)?;
        }
        if self.bytes > MOST_WAITING {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes all that waits.
    fn flush(&mut self) -> Result<(), CommandError> {
        for (whose, documents) in std::mem::take(&mut self.waiting) {
            self.write(&whose, &documents)?;
        }
        Ok(())
    }

    /// Writes documents, and says so once they are on disk.
    fn write(&mut self, whose: &ProfileName, documents: &[Document]) -> Result<(), CommandError> {
        if !self.store.has_profile(whose)? {
            self.store.create_profile(whose, &Profile::default())?;
            self.profiles.insert(whose.clone());
        }
        let imported = self.store.import(whose, documents)?;
        let lengths = documents.iter().map(|document| document.text.as_private_str().len());
        self.bytes -= lengths.sum::<usize>();
        self.imported.add(imported);
        if self.json {
            let mut line = json!(imported);
            line["profile"] = json!(whose);
            say(&line.to_string())?;
        }
        Ok(())
    }

    fn problem(&mut self, what: &str) -> Result<(), CommandError> {
        self.problems += 1;
        if self.problems <= TOLD {
            let told = self
                .bar
                .suspend(|| writeln!(std::io::stderr(), "left out: {}", escaped(what)));
            told.map_err(CommandError::Output)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<ExitCode, CommandError> {
        self.bar.finish_and_clear();
        let Imported {
            added,
            updated,
            unchanged,
        } = self.imported;
        let (profiles, problems) = (self.profiles.len(), self.problems);
        if self.json {
            let mut line = json!(self.imported);
            line["done"] = true.into();
            line["profiles"] = profiles.into();
            line["problems"] = problems.into();
            say(&line.to_string())?;
        } else {
            say(&format!(
                "{profiles} profiles; documents: {added} added, {updated} updated, {unchanged} unchanged, {problems} left out"
            ))?;
        }
        Ok(if problems == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn say(line: &str) -> Result<(), CommandError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(CommandError::Output)
}
