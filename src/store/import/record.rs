use jiff::Timestamp;
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

use super::entry::{checked, one_line};
use super::{Entry, Fault, own, times};
use crate::store::{Document, PrivateText, Profile, ProfileName};

/// Where records have their text; the first that is there counts.
const TEXT: [&str; 4] = ["text", "content", "output", "body"];
const TITLE: [&str; 4] = ["title", "task", "input", "subject"];
const TIME: [&str; 3] = ["time", "date", "created_at"];

/// An entry, with the number from 1 of the item of the history it is from.
pub type Read = (Option<usize>, Result<Entry, Fault>);

/// Reads a line: one of our own, a person with a history, or a document.
pub fn read(line: Value) -> Vec<Read> {
    let Value::Object(fields) = line else {
        return vec![(None, Err(Fault::NotARecord))];
    };
    let kind = fields.get("type").and_then(Value::as_str);
    let one = match kind {
        Some(own::PROFILE) => own::profile(fields),
        Some(own::DOCUMENT) => own::document(fields),
        _ if fields.get("history").is_some_and(Value::is_array)
            || fields.get("profile").is_some_and(Value::is_string) =>
        {
            return person(fields);
        }
        _ if TEXT
            .iter()
            .any(|field| fields.get(*field).is_some_and(Value::is_string)) =>
        {
            document(fields).map(|document| Entry::Document(None, document))
        }
        _ => Err(Fault::NotARecord),
    };
    vec![(None, one)]
}

/// The profile of a person, then what that person has written.
fn person(mut fields: Map<String, Value>) -> Vec<Read> {
    let name = match name(&fields) {
        Ok(name) => name,
        Err(fault) => return vec![(None, Err(fault))],
    };
    let mut read = Vec::new();
    if let Some(told) = string(&mut fields, &["profile"]).map(PrivateText::from) {
        let lines = told
            .as_private_str()
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty());
        let profile = Profile {
            facts: lines.map(PrivateText::from).collect(),
            ..Profile::default()
        };
        if !profile.is_blank() {
            read.push((None, Ok(Entry::Profile(name.clone(), profile))));
        }
    }
    if let Some(Value::Array(items)) = fields.remove("history") {
        read.extend(items.into_iter().enumerate().map(|(index, item)| {
            let document = match item {
                Value::Object(fields) => document(fields),
                _ => Err(Fault::Field {
                    field: "history",
                    expected: "a list of objects",
                }),
            };
            (
                Some(index + 1),
                document.map(|document| Entry::Document(Some(name.clone()), document)),
            )
        }));
    }
    read
}

/// What a profile can be called that is made of a person's name or number.
fn name(fields: &Map<String, Value>) -> Result<ProfileName, Fault> {
    let written = |field: &str| match fields.get(field) {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let (field, written) = match written("name") {
        Some(name) => ("name", name),
        None => ("id", written("id").ok_or(Fault::Nameless)?),
    };
    let fit = |character: char| character.is_alphanumeric() || ".-_@".contains(character);
    let composed: String = written.nfc().collect();
    let parts = composed
        .split(|character| !fit(character))
        .filter(|part| !part.is_empty());
    let joined = parts.collect::<Vec<_>>().join("-");
    let name = joined.trim_start_matches(|character: char| !character.is_alphanumeric());
    ProfileName::new(name).map_err(|reason| Fault::Name { field, reason })
}

fn document(mut fields: Map<String, Value>) -> Result<Document, Fault> {
    let text = string(&mut fields, &TEXT).ok_or(Fault::Blank)?;
    let title = string(&mut fields, &TITLE).map(PrivateText::from).unwrap_or_default();
    let key = match fields.remove("id") {
        Some(Value::String(key)) => key,
        Some(Value::Number(key)) => key.to_string(),
        _ => String::new(),
    };
    checked(Document {
        key: key.into(),
        title: one_line(title.as_private_str()).into(),
        text: text.into(),
        time: time(&fields)?,
        source: string(&mut fields, &["source"]).unwrap_or_default().into(),
        tags: own::list(fields.remove("tags"), "tags")?,
    })
}

/// The first of `names` that is a string.
fn string(fields: &mut Map<String, Value>, names: &[&str]) -> Option<String> {
    let name = names
        .iter()
        .find(|name| fields.get(**name).is_some_and(Value::is_string))?;
    match fields.remove(*name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn time(fields: &Map<String, Value>) -> Result<Option<Timestamp>, Fault> {
    for field in TIME {
        let time = match fields.get(field) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) => times::written(text),
            Some(Value::Number(seconds)) => seconds.as_f64().and_then(times::unix),
            Some(_) => None,
        };
        let wrong = Fault::Field {
            field,
            expected: "a time, as RFC 3339 has it or in seconds since 1970",
        };
        return time.ok_or(wrong).map(Some);
    }
    Ok(None)
}
