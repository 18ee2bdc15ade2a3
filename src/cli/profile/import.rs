use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::arguments::ImportArguments;
use super::list::{Listed, say};
use super::open::named;
use super::summary::{Seen, Summary};
use crate::cli::CommandError;
use crate::foreign::escaped;
use crate::store::import::{Batches, Entry, Wanted, open};
use crate::store::{Document, Profile, ProfileName, Store, StoreError};

/// Problems that are told one by one.
const TOLD: usize = 10;

/// Reads what `arguments` name into `store`; without one it only says what there is.
pub fn run(store: Option<&Store>, arguments: &ImportArguments) -> Result<ExitCode, CommandError> {
    let own = arguments.profile.as_deref().map(named).transpose()?;
    let wanted = Wanted {
        format: arguments.format.map(Into::into),
        me: arguments.me.clone(),
        everyone: arguments.everyone,
    };
    let mut importer = Importer {
        store,
        json: arguments.json,
        own,
        waiting: Batches::default(),
        summary: Summary::new(arguments.json),
        bar: bar(),
    };
    for path in &arguments.paths {
        let read = importer.path(path, &wanted);
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
    store: Option<&'a Store>,
    json: bool,
    /// Whose documents they are that name nobody.
    own: Option<ProfileName>,
    waiting: Batches,
    summary: Summary,
    bar: ProgressBar,
}

impl Importer<'_> {
    fn path(&mut self, path: &Path, wanted: &Wanted) -> Result<(), CommandError> {
        let mut reading = open(path, wanted)?;
        let (before, size) = (self.bar.position(), reading.size());
        self.bar.inc_length(size);
        let (mut seen, mut listed) = (Seen::default(), Listed::default());
        while let Some(entry) = reading.next() {
            if self.store.is_none() {
                self.bar.suspend(|| listed.entry(reading.file(), &entry))?;
            }
            match entry {
                Ok(Entry::Profile(name, profile)) => {
                    seen.understood = true;
                    self.profile(&name, &profile)?;
                }
                Ok(Entry::Document(whose, document)) => {
                    seen.understood = true;
                    self.document(whose, document, path)?;
                }
                Ok(Entry::Skipped(skip)) => {
                    seen.skipped(&skip);
                    self.summary.skipped(skip);
                }
                Err(error) if error.is_fatal() => return Err(error.into()),
                Err(error) => {
                    seen.understood = true;
                    self.problem(&error.to_string())?;
                }
            }
            self.bar.set_position(before + reading.read());
        }
        if self.store.is_none() {
            self.bar.suspend(|| listed.end())?;
        }
        self.bar.set_position(before + size);
        match seen.nothing(path) {
            Some(nothing) => self.problem(&nothing),
            None => Ok(()),
        }
    }

    fn profile(&mut self, name: &ProfileName, profile: &Profile) -> Result<(), CommandError> {
        let Some(store) = self.store else {
            self.summary.profiles.insert(name.clone());
            return Ok(());
        };
        match store.put_profile(name, profile) {
            Err(error @ StoreError::TooLarge { .. }) => return self.problem(&format!("profile {name}: {error}")),
            put => put?,
        }
        self.summary.profiles.insert(name.clone());
        Ok(())
    }

    fn document(&mut self, whose: Option<ProfileName>, document: Document, path: &Path) -> Result<(), CommandError> {
        if self.store.is_none() {
            return Ok(());
        }
        let Some(whose) = whose.or_else(|| self.own.clone()) else {
            return Err(CommandError::Usage(format!(
                "{} does not say whose its documents are; name a profile with --profile",
                path.display()
            )));
        };
        for (whose, documents) in self.waiting.add(whose, document) {
            self.write(&whose, &documents)?;
        }
        Ok(())
    }

    /// Writes all that waits.
    fn flush(&mut self) -> Result<(), CommandError> {
        for (whose, documents) in self.waiting.rest() {
            self.write(&whose, &documents)?;
        }
        Ok(())
    }

    /// Writes documents, and says so once they are on disk.
    fn write(&mut self, whose: &ProfileName, documents: &[Document]) -> Result<(), CommandError> {
        let Some(store) = self.store else { return Ok(()) };
        if store.ensure_profile(whose)? {
            self.summary.profiles.insert(whose.clone());
        }
        let imported = store.import(whose, documents)?;
        self.summary.imported.add(imported);
        if self.json {
            let mut line = json!(imported);
            line["profile"] = json!(whose);
            say(&line.to_string())?;
        }
        Ok(())
    }

    fn problem(&mut self, what: &str) -> Result<(), CommandError> {
        self.summary.problems += 1;
        if self.summary.problems <= TOLD {
            let told = self
                .bar
                .suspend(|| writeln!(std::io::stderr(), "left out: {}", escaped(what)));
            told.map_err(CommandError::Output)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<ExitCode, CommandError> {
        self.bar.finish_and_clear();
        if self.store.is_some() || self.json {
            say(&self.summary.line())?;
        }
        Ok(if self.summary.problems == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
