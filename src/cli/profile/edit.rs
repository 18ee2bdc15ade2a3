use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use super::arguments::{CreateArguments, EditArguments};
use super::open::named;
use crate::cli::CommandError;
use crate::foreign::escaped;
use crate::store::import::decode;
use crate::store::{PrivateText, Profile, Store, StoreError};

pub fn create(store: &Store, arguments: CreateArguments) -> Result<(), CommandError> {
    let profile = Profile {
        description: arguments.description.into(),
        preferences: given(arguments.preference, arguments.preferences.as_deref())?,
        facts: given(arguments.fact, arguments.facts.as_deref())?,
    };
    Ok(store.create_profile(&named(&arguments.name)?, &profile)?)
}

pub fn edit(store: &Store, arguments: EditArguments) -> Result<(), CommandError> {
    let preferences = given(arguments.add_preference, arguments.add_preferences.as_deref())?;
    let facts = given(arguments.add_fact, arguments.add_facts.as_deref())?;
    store.edit_profile(&named(&arguments.name)?, |profile| {
        // Numbers are those before the change.
        without(&mut profile.preferences, &arguments.remove_preference)?;
        without(&mut profile.facts, &arguments.remove_fact)?;
        profile.preferences.extend(preferences);
        profile.facts.extend(facts);
        if let Some(description) = arguments.description {
            profile.description = description.into();
        }
        Ok(())
    })?;
    Ok(())
}

/// Those of the command line, then those of the file. Blank lines are none.
fn given(words: Vec<String>, file: Option<&Path>) -> Result<Vec<PrivateText>, CommandError> {
    let mut all: Vec<PrivateText> = words.into_iter().map(PrivateText::from).collect();
    let Some(path) = file else { return Ok(all) };
    let trouble = |source| CommandError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Zeroizing::new(Vec::new());
    let read = if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.map_err(trouble)?;
    let text = decode(&bytes)
        .ok_or_else(|| CommandError::Usage(format!("{} is no text", escaped(&path.display().to_string()))))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    all.extend(lines.map(PrivateText::from));
    Ok(all)
}

/// Takes lines out, counted from 1.
fn without(lines: &mut Vec<PrivateText>, numbers: &[usize]) -> Result<(), StoreError> {
    if let Some(number) = numbers.iter().find(|number| !(1..=lines.len()).contains(number)) {
        return Err(StoreError::NoSuchLine(*number));
    }
    let numbers: BTreeSet<usize> = numbers.iter().copied().collect();
    let mut number = 0;
    lines.retain(|_| {
        number += 1;
        !numbers.contains(&number)
    });
    Ok(())
}
