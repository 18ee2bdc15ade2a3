use std::collections::BTreeSet;

use super::arguments::{CreateArguments, EditArguments};
use super::open::named;
use crate::cli::CommandError;
use crate::store::{PrivateText, Profile, Store, StoreError};

pub fn create(store: &Store, arguments: CreateArguments) -> Result<(), CommandError> {
    let profile = Profile {
        description: arguments.description.into(),
        preferences: arguments.preference.into_iter().map(PrivateText::from).collect(),
        facts: arguments.fact.into_iter().map(PrivateText::from).collect(),
    };
    Ok(store.create_profile(&named(&arguments.name)?, &profile)?)
}

pub fn edit(store: &Store, arguments: EditArguments) -> Result<(), CommandError> {
    store.edit_profile(&named(&arguments.name)?, |profile| {
        // Numbers are those before the change.
        without(&mut profile.preferences, &arguments.remove_preference)?;
        without(&mut profile.facts, &arguments.remove_fact)?;
        profile
            .preferences
            .extend(arguments.add_preference.into_iter().map(PrivateText::from));
        profile
            .facts
            .extend(arguments.add_fact.into_iter().map(PrivateText::from));
        if let Some(description) = arguments.description {
            profile.description = description.into();
        }
        Ok(())
    })?;
    Ok(())
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
