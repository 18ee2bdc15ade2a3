use config::{Source, Value, ValueKind};

use super::SettingsError;

/// Keys that may be set although `config/default.toml` only mentions them.
const WITHOUT_DEFAULT: [&str; 6] = [
    "steering.strength",
    "steering.iterations",
    "steering.alpha",
    "steering.beta",
    "steering.lambda",
    "steering.eta",
];

/// Keys whose value may be a table of anything.
const TABLES: [&str; 2] = ["local.template_kwargs", "upstream.template_kwargs"];

/// Refuses the first key of `source` that `defaults` does not have.
pub fn refuse_unknown(source: &dyn Source, origin: &str, defaults: &dyn Source) -> Result<(), SettingsError> {
    let mut valid = keys(defaults)?;
    valid.extend(WITHOUT_DEFAULT.map(str::to_owned));
    let unknown = keys(source)?.into_iter().find(|key| !valid.contains(key));
    let Some(key) = unknown else {
        return Ok(());
    };
    let distance = |candidate: &&String| strsim::damerau_levenshtein(candidate, &key);
    let nearest = valid
        .iter()
        .min_by_key(distance)
        .filter(|nearest| distance(nearest) <= key.len() / 2);
    Err(SettingsError::UnknownKey {
        nearest: nearest.cloned(),
        origin: origin.to_owned(),
        key,
    })
}

/// All keys of a source, as `section.key`, in order.
pub fn keys(source: &dyn Source) -> Result<Vec<String>, SettingsError> {
    let mut names = Vec::new();
    for (name, value) in source.collect()? {
        walk(name, &value, &mut names);
    }
    names.sort_unstable();
    Ok(names)
}

fn walk(name: String, value: &Value, names: &mut Vec<String>) {
    match &value.kind {
        ValueKind::Table(table) if !TABLES.contains(&name.as_str()) => {
            for (key, inner) in table {
                walk(format!("{name}.{key}"), inner, names);
            }
        }
        _ => names.push(name),
    }
}
