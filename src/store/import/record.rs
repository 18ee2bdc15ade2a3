use std::path::Path;

use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

use super::entry::{checked, one_line};
use super::{Entry, Fault, own, place, times};
use crate::store::{Document, PrivateText, Profile, ProfileName};

/// Where records have their text; the first that is there counts.
const TEXT: [&str; 4] = ["text", "content", "output", "body"];
const TITLE: [&str; 4] = ["title", "task", "input", "subject"];
/// The first that is understood counts. Where none is, the record has no time.
const TIME: [&str; 10] = [
    "time",
    "date",
    "created_at",
    "createdAt",
    "created",
    "create_time",
    "timestamp",
    "published",
    "updated_at",
    "updatedAt",
];

/// An entry, with the number from 1 of the item of the history it is from.
pub type Read = (Option<usize>, Result<Entry, Fault>);

/// Whether an object is a record by itself, and not something with a list of records in it.
pub fn is(fields: &Map<String, Value>) -> bool {
    let own = fields
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind == own::PROFILE || kind == own::DOCUMENT);
    own || is_person(fields) || has_text(fields)
}

fn is_person(fields: &Map<String, Value>) -> bool {
    fields.get("history").is_some_and(Value::is_array) || fields.get("profile").is_some_and(Value::is_string)
}

fn has_text(fields: &Map<String, Value>) -> bool {
    TEXT.iter()
        .any(|field| fields.get(*field).is_some_and(Value::is_string))
}

/// Reads a record of the file at `place`: one of our own, a person with a history, or a document.
pub fn read(line: Value, place: &Path) -> Vec<Read> {
    let Value::Object(fields) = line else {
        return vec![(None, Err(Fault::NotARecord))];
    };
    let kind = fields.get("type").and_then(Value::as_str);
    let one = match kind {
        Some(own::PROFILE) => own::profile(fields),
        Some(own::DOCUMENT) => own::document(fields),
        _ if is_person(&fields) => return person(fields, place),
        _ if has_text(&fields) => document(fields, place).map(|document| Entry::Document(None, document)),
        _ => Err(Fault::NotARecord),
    };
    vec![(None, one)]
}

/// The profile of a person, then what that person has written.
fn person(mut fields: Map<String, Value>, place: &Path) -> Vec<Read> {
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
                Value::Object(fields) => document(fields, place),
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

/// A record as a document of the file at `place`. Records of several files may have the same ids, so the file is part of the key.
fn document(mut fields: Map<String, Value>, place: &Path) -> Result<Document, Fault> {
    let text = string(&mut fields, &TEXT).ok_or(Fault::Blank)?;
    let title = string(&mut fields, &TITLE).map(PrivateText::from).unwrap_or_default();
    let key = match fields.remove("id").or_else(|| fields.remove("_id")) {
        Some(Value::String(id)) if !id.trim().is_empty() => place::key_of(place, &id),
        Some(Value::Number(id)) => place::key_of(place, &id.to_string()),
        Some(Value::Object(id)) => id
            .get("$oid")
            .and_then(Value::as_str)
            .map(|id| place::key_of(place, id))
            .unwrap_or_default(),
        _ => PrivateText::default(),
    };
    checked(Document {
        key,
        title: one_line(title.as_private_str()).into(),
        text: text.into(),
        time: TIME.iter().find_map(|field| fields.get(*field).and_then(times::value)),
        source: string(&mut fields, &["source"]).unwrap_or_default().into(),
        tags: tags(fields.remove("tags")),
    })
}

/// The first of `names` that is a string with something in it, or else the first that is a string.
fn string(fields: &mut Map<String, Value>, names: &[&str]) -> Option<String> {
    let is = |name: &&&str| fields.get(**name).is_some_and(Value::is_string);
    let filled = |name: &&&str| {
        fields
            .get(**name)
            .and_then(Value::as_str)
            .is_some_and(|text| !text.trim().is_empty())
    };
    let name = names.iter().find(filled).or_else(|| names.iter().find(is))?;
    match fields.remove(*name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Tags in a list, or in one text. What is no text is none.
fn tags(value: Option<Value>) -> Vec<PrivateText> {
    let tags: Vec<String> = match value {
        Some(Value::Array(items)) => items
            .into_iter()
            .filter_map(|item| match item {
                Value::String(tag) => Some(tag),
                Value::Number(tag) => Some(tag.to_string()),
                Value::Object(mut fields) => string(&mut fields, &["name", "label"]),
                _ => None,
            })
            .collect(),
        Some(Value::String(text)) if text.contains([',', ';']) => text.split([',', ';']).map(str::to_owned).collect(),
        Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let bare = tags.iter().map(|tag| tag.trim().trim_start_matches('#'));
    bare.filter(|tag| !tag.is_empty()).map(PrivateText::from).collect()
}
