use std::path::Path;

use crate::cli::CommandError;
use crate::private_file::replace;
use crate::settings::{Preset, keys_of, with_numbers};
use crate::tune::Numbers;

const SECTION: &str = "steering";

/// What is written.
const WRITTEN: [&str; 3] = ["strength", "delta_floor", "plausibility"];

/// What stands against a strength.
const AGAINST: [&str; 5] = ["iterations", "alpha", "beta", "lambda", "eta"];

const PRESET: &str = "preset";

/// Refuses to write where what is written would not hold: where a variable says otherwise, or where the file has the numbers that a
/// strength replaces. Better before minutes of work than after them.
///
/// # Errors
/// [`CommandError::Usage`] naming the variable or the key.
pub fn check(path: &Path, preset: Preset) -> Result<(), CommandError> {
    let keys = || WRITTEN.into_iter().chain(AGAINST).chain([PRESET]);
    let set = |key: &str| {
        let name = format!("costeer__{SECTION}__{key}");
        let mut variables = std::env::vars_os().filter_map(|(variable, _)| variable.into_string().ok());
        variables.find(|variable| variable.to_lowercase() == name)
    };
    if let Some(variable) = keys().find_map(set) {
        return Err(CommandError::Usage(format!(
            "--write would have no effect: the variable {variable} wins over the file; take it out of the environment first"
        )));
    }
    let mut there = keys_of(&read(path)?, SECTION);
    // One that changes nothing may stay.
    there.retain(|key| key != PRESET || preset == Preset::Paper);
    if let Some(key) = AGAINST
        .into_iter()
        .chain([PRESET])
        .find(|key| there.iter().any(|name| name == key))
    {
        return Err(CommandError::Usage(format!(
            "{} sets {SECTION}.{key}, and a strength replaces it; take it out of the file before --write",
            path.display()
        )));
    }
    Ok(())
}

/// Writes the numbers into the file. It is there as a whole, before or after.
///
/// # Errors
/// [`CommandError`] naming the file.
pub fn write(path: &Path, numbers: &Numbers) -> Result<(), CommandError> {
    let values = [numbers.strength, numbers.delta_floor, numbers.plausibility];
    let values: Vec<(&str, f64)> = WRITTEN.into_iter().zip(values).collect();
    let text = with_numbers(&read(path)?, SECTION, &values)
        .map_err(|error| CommandError::Usage(format!("{} was not changed: {error}", path.display())))?;
    let failed = |source| CommandError::File {
        path: path.to_owned(),
        source,
    };
    // Through a link the file behind it is written.
    let target = path.canonicalize().map_err(failed)?;
    let permissions = std::fs::metadata(&target).map_err(failed)?.permissions();
    // It may have keys in it.
    replace(&target, &text, Some(permissions)).map_err(failed)
}

fn read(path: &Path) -> Result<String, CommandError> {
    std::fs::read_to_string(path).map_err(|source| CommandError::Unreadable {
        path: path.to_owned(),
        source,
    })
}
