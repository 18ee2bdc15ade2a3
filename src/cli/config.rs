use std::collections::HashMap;
use std::io::Write;

use config::{Value, ValueKind};

use super::CommandError;
use super::arguments::ConfigArguments;
use crate::settings::{DEFAULTS, Variables, effective, found_file};

/// Keys whose values are nobody's business.
const HIDDEN: [&str; 6] = [
    "server.api_key",
    "upstream.api_key",
    "upstream.headers",
    "upstream.extra_body",
    "context.text",
    "store.key",
];

/// Prints `config/default.toml` with the values that hold.
pub fn run(arguments: &ConfigArguments) -> Result<(), CommandError> {
    let file = found_file(arguments.config.as_deref());
    let values: HashMap<String, Value> = effective(file.as_deref(), Variables::Read)?.into_iter().collect();
    let mut out = std::io::stdout().lock();
    let mut section = String::new();
    for line in DEFAULTS.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
        }
        // A key without a default is written as a comment.
        let written = line.strip_prefix("# ").unwrap_or(line).split_once(" = ");
        let known = written.and_then(|(key, _)| {
            let full = format!("{section}.{key}");
            Some((key, values.get(&full)?, HIDDEN.contains(&full.as_str())))
        });
        let line = match known {
            Some((key, value, hidden)) => format!("{key} = {}", toml(value, hidden)),
            None => line.to_owned(),
        };
        writeln!(out, "{line}").map_err(CommandError::Output)?;
    }
    Ok(())
}

fn toml(value: &Value, hidden: bool) -> String {
    match &value.kind {
        ValueKind::String(text) if hidden && !text.is_empty() => "\"********\"".to_owned(),
        // JSON's strings are TOML's.
        ValueKind::String(text) => serde_json::Value::from(text.as_str()).to_string(),
        ValueKind::Array(values) => {
            let values: Vec<String> = values.iter().map(|value| toml(value, hidden)).collect();
            format!("[{}]", values.join(", "))
        }
        _ => value.to_string(),
    }
}
