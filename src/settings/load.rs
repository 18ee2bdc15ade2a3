use std::path::Path;

use config::{Config, Environment, File, FileFormat, Value};
use zeroize::Zeroizing;

use super::check::check;
use super::renamed::{Names, Renamed};
use super::unknown::{keys, refuse_unknown};
use super::{DEFAULTS, Settings, SettingsError};

/// The five numbers of the paper's update, which come to a strength.
const FTRL_KEYS: [&str; 5] = [
    "steering.iterations",
    "steering.alpha",
    "steering.beta",
    "steering.lambda",
    "steering.eta",
];

/// Whether `COSTEER__SECTION__KEY` variables count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variables {
    /// They win over the file.
    Read,
    /// They do not: for runs that must not depend on where they happen.
    Ignore,
}

/// Variables that other tools use for the same thing. They win over the defaults and nothing else.
const FAMILIAR: [(&str, &str); 2] = [
    ("OPENAI_BASE_URL", "upstream.url"),
    ("OPENAI_API_KEY", "upstream.api_key"),
];

/// Reads the defaults, then `OPENAI_BASE_URL` and `OPENAI_API_KEY`, then `file`, then the environment, then `overrides`
/// (`section.key`, value), and checks the result.
///
/// # Errors
/// A [`SettingsError`] that names the key.
pub fn load(
    file: Option<&Path>,
    variables: Variables,
    overrides: &[(&str, String)],
) -> Result<Settings, SettingsError> {
    let (merged, renamed) = merged(file, variables, overrides)?;
    checked(merged, renamed)
}

fn checked(merged: Config, renamed: Vec<Renamed>) -> Result<Settings, SettingsError> {
    let mut settings: Settings = merged.try_deserialize()?;
    settings.renamed = renamed;
    check(&settings)?;
    Ok(settings)
}

/// The value of every key that has one, as `section.key`, after the same layers and checks as [`load`].
///
/// # Errors
/// A [`SettingsError`] that names the key.
pub fn effective(file: Option<&Path>, variables: Variables) -> Result<Vec<(String, Value)>, SettingsError> {
    let (merged, renamed) = merged(file, variables, &[])?;
    checked(merged.clone(), renamed)?;
    let values = keys(&merged)?.into_iter().map(|key| {
        let value = merged.get(&key)?;
        Ok((key, value))
    });
    values.collect()
}

/// All layers as one, and the keys that they give under former names.
fn merged(
    file: Option<&Path>,
    variables: Variables,
    overrides: &[(&str, String)],
) -> Result<(Config, Vec<Renamed>), SettingsError> {
    let mut names = Names::default();
    let defaults = File::from_str(DEFAULTS, FileFormat::Toml);
    let mut own = Config::builder();
    if variables == Variables::Read {
        for (variable, key) in FAMILIAR {
            if let Some(value) = std::env::var(variable).ok().filter(|value| !value.trim().is_empty()) {
                own = own.set_default(key, value)?;
            }
        }
    }
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let text = Zeroizing::new(text);
        toml::from_str::<toml::Table>(&text).map_err(|error| SettingsError::NotToml {
            path: path.to_owned(),
            reason: place(&text, &error),
        })?;
        let layer = names.translate(&File::from_str(&text, FileFormat::Toml))?;
        refuse_unknown(&layer, &path.display().to_string(), &defaults)?;
        own = own.add_source(layer);
    }
    if variables == Variables::Read {
        // Values stay text until their key's type is known: a key made of digits is not a number.
        let environment = Environment::with_prefix("COSTEER")
            .prefix_separator("__")
            .separator("__");
        let environment = names.translate(&environment)?;
        refuse_unknown(&environment, "the environment (COSTEER__SECTION__KEY)", &defaults)?;
        own = own.add_source(environment);
    }
    for (key, value) in overrides {
        own = own.set_override(key, value.as_str())?;
    }
    let own = own.build()?;
    refuse_both_ways(&own)?;
    let renamed = names.renamed()?;
    let all = Config::builder().add_source(defaults).add_source(own).build()?;
    Ok((all, renamed))
}

/// Where a file stops being TOML, and why. The parser's own error shows the line, which may hold a key or private text.
fn place(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(text.len(), |span| span.start);
    let before = text.get(..at).unwrap_or(text);
    let number = before.matches('\n').count() + 1;
    let line = text.lines().nth(number - 1).unwrap_or_default();
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    let key = line.split_once('=').map(|(key, _)| key.trim());
    let bare = |key: &&str| {
        !key.is_empty()
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    let key = key
        .filter(bare)
        .map_or_else(String::new, |key| format!(", at the key {key}"));
    format!(
        "it is not TOML from line {number}, column {column} on{key}: {}",
        error.message().lines().next().unwrap_or_default()
    )
}

/// The five numbers and the paper's preset come to a strength, so setting one as well is a mistake.
fn refuse_both_ways(own: &Config) -> Result<(), SettingsError> {
    let set = keys(own)?;
    let is_set = |key: &str| set.iter().any(|name| name == key);
    let mut others: Vec<&str> = FTRL_KEYS.into_iter().filter(|key| is_set(key)).collect();
    if own.get_string("steering.preset").is_ok_and(|preset| preset == "paper") {
        others.push("steering.preset = \"paper\"");
    }
    match others.first() {
        Some(other) if is_set("steering.strength") => Err(SettingsError::Value {
            key: "steering.strength",
            reason: format!("it and {other} are both set; set strength, or what comes to one, not both"),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
