use std::collections::BTreeSet;

use super::{CreateArguments, EditArguments, named};
use crate::cli::CommandError;
use crate::store::{PrivateText, Profile, Store};

pub fn create(store: &Store, arguments: CreateArguments) -> Result<(), CommandError> {
    let profile = Profile {
        description: arguments.description.into(),
        preferences: arguments.preference.into_iter().map(PrivateText::from).collect(),
        facts: arguments.fact.into_iter().map(PrivateText::from).collect(),
    };
    Ok(store.create_profile(&named(&arguments.name)?, &profile)?)
}

pub fn edit(store: &Store, arguments: EditArguments) -> Result<(), CommandError> {
    let name = named(&arguments.name)?;
    let mut refused = None;
    let edited = store.edit_profile(&name, |profile| {
        // Numbers are those before the change.
        let removed = without(&mut profile.preferences, &arguments.remove_preference)
            .and_then(|()| without(&mut profile.facts, &arguments.remove_fact));
        if let Err(number) = removed {
            refused = Some(number);
            return Ok::<_, crate::store::StoreError>(());
        }
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
    });
    edited?;
    match refused {
        Some(number) => Err(CommandError::Usage(format!(
            "there is no line {number}; costeer profile show {name} numbers them"
        ))),
        None => Ok(()),
    }
}

/// Takes lines out, counted from 1; the first number that there is not, where there is one.
fn without(lines: &mut Vec<PrivateText>, numbers: &[usize]) -> Result<(), usize> {
    if let Some(number) = numbers.iter().find(|number| !(1..=lines.len()).contains(number)) {
        return Err(*number);
    }
    let numbers: BTreeSet<usize> = numbers.iter().copied().collect();
    let mut number = 0;
    lines.retain(|_| {
        number += 1;
        !numbers.contains(&number)
    });
    Ok(())
}
