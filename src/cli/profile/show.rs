use std::io::Write;

use serde_json::json;

use super::arguments::{ListArguments, ShowArguments};
use super::open::named;
use crate::cli::CommandError;
use crate::foreign::escaped;
use crate::store::{DocumentId, PrivateText, ProfileName, Store, StoredDocument};

/// Documents read at a time.
pub const PAGE: usize = 256;

pub fn list(store: &Store, arguments: &ListArguments) -> Result<(), CommandError> {
    let profiles = store.profiles()?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        return writeln!(out, "{:#}", json!(profiles)).map_err(CommandError::Output);
    }
    let width = profiles
        .iter()
        .map(|profile| profile.name.as_str().chars().count())
        .max();
    let width = width.unwrap_or(0).max("NAME".len());
    writeln!(out, "{:width$}  PREFERENCES  FACTS  DOCUMENTS  DESCRIPTION", "NAME").map_err(CommandError::Output)?;
    for profile in &profiles {
        writeln!(
            out,
            "{:width$}  {:>11}  {:>5}  {:>9}  {}",
            profile.name.as_str(),
            profile.preferences,
            profile.facts,
            profile.documents,
            first_line(&profile.description)
        )
        .map_err(CommandError::Output)?;
    }
    Ok(())
}

pub fn show(store: &Store, arguments: &ShowArguments) -> Result<(), CommandError> {
    let name = named(&arguments.name)?;
    let profile = store.profile(&name)?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let mut shown = json!(profile);
        shown["name"] = json!(name);
        if arguments.documents {
            let mut documents = Vec::new();
            each_document(store, &name, |stored| {
                documents.push(json!(stored));
                Ok(())
            })?;
            shown["documents"] = documents.into();
        }
        return writeln!(out, "{shown:#}").map_err(CommandError::Output);
    }
    let mut say = |line: &str| writeln!(out, "{line}").map_err(CommandError::Output);
    if !profile.description.is_blank() {
        say(&escaped(profile.description.as_private_str()))?;
    }
    for (title, lines) in [("preferences", &profile.preferences), ("facts", &profile.facts)] {
        say(&format!("{title}:"))?;
        for (index, line) in lines.iter().enumerate() {
            say(&format!("{:>4}  {}", index + 1, escaped(line.as_private_str())))?;
        }
    }
    if arguments.documents {
        say("documents:")?;
        each_document(store, &name, |stored| say(&one_line(stored)))?;
    }
    Ok(())
}

/// Reads the documents page by page: there may be more than memory should hold.
pub fn each_document(
    store: &Store,
    name: &ProfileName,
    mut work: impl FnMut(&StoredDocument) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let mut after = DocumentId(0);
    loop {
        let page = store.documents(name, after, PAGE)?;
        for stored in &page {
            work(stored)?;
        }
        match page.last() {
            Some(last) => after = last.id,
            None => return Ok(()),
        }
    }
}

/// Number, day and title or beginning.
pub fn one_line(stored: &StoredDocument) -> String {
    let StoredDocument { id, document } = stored;
    let day = document.time.map(|time| time.to_string());
    let day: String = day.unwrap_or_default().chars().take(10).collect();
    let title = if document.title.is_blank() {
        &document.text
    } else {
        &document.title
    };
    format!("{:>6}  {day:10}  {}", id.0, first_line(title))
}

/// At most 80 characters of the first line.
fn first_line(text: &PrivateText) -> String {
    let line = text.as_private_str().trim_start().lines().next().unwrap_or_default();
    escaped(line).chars().take(80).collect()
}
