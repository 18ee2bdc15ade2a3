use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::entry::checked;
use super::{Entry, Fault};
use crate::store::{Document, PrivateText, Profile, ProfileName};

/// `profile` as a line of an export, without the end of the line. It is read back exactly.
pub fn profile_line(name: &ProfileName, profile: &Profile) -> String {
    let Profile {
        description,
        preferences,
        facts,
    } = profile;
    json!({
        "type": PROFILE,
        "name": name.as_str(),
        "description": description.as_private_str(),
        "preferences": texts(preferences),
        "facts": texts(facts),
    })
    .to_string()
}

/// `document` of the profile `name` as a line of an export, without the end of the line. It is read back exactly.
pub fn document_line(name: &ProfileName, document: &Document) -> String {
    let Document {
        key,
        title,
        text,
        time,
        source,
        tags,
    } = document;
    json!({
        "type": DOCUMENT,
        "profile": name.as_str(),
        "key": key.as_private_str(),
        "title": title.as_private_str(),
        "text": text.as_private_str(),
        "time": time.map(|time| time.to_string()),
        "source": source.as_private_str(),
        "tags": texts(tags),
    })
    .to_string()
}

fn texts(list: &[PrivateText]) -> Vec<&str> {
    list.iter().map(PrivateText::as_private_str).collect()
}

/// The type of a line with a profile.
pub const PROFILE: &str = "profile";
/// The type of a line with a document.
pub const DOCUMENT: &str = "document";

/// Reads what [`profile_line`] has written. Fields may be missing, all but the name.
pub fn profile(fields: Map<String, Value>) -> Result<Entry, Fault> {
    let mut fields = Fields(fields);
    let name = fields.name("name")?.ok_or(Fault::Nameless)?;
    let profile = Profile {
        description: fields.text("description")?,
        preferences: fields.list("preferences")?,
        facts: fields.list("facts")?,
    };
    fields.end()?;
    Ok(Entry::Profile(name, profile))
}

/// Reads what [`document_line`] has written. Fields may be missing, all but the text.
pub fn document(fields: Map<String, Value>) -> Result<Entry, Fault> {
    let mut fields = Fields(fields);
    let name = fields.name("profile")?;
    let document = Document {
        key: fields.text("key")?,
        title: fields.text("title")?,
        text: fields.text("text")?,
        time: fields.time("time")?,
        source: fields.text("source")?,
        tags: fields.list("tags")?,
    };
    fields.end()?;
    Ok(Entry::Document(name, checked(document)?))
}

/// What is left of an object. A field that is null is taken to be missing.
struct Fields(Map<String, Value>);

impl Fields {
    fn string(&mut self, field: &'static str) -> Result<Option<String>, Fault> {
        match self.0.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Fault::Field {
                field,
                expected: "a string",
            }),
        }
    }

    fn text(&mut self, field: &'static str) -> Result<PrivateText, Fault> {
        Ok(self.string(field)?.unwrap_or_default().into())
    }

    fn name(&mut self, field: &'static str) -> Result<Option<ProfileName>, Fault> {
        let name = self.string(field)?.map(|name| ProfileName::new(&name));
        name.transpose().map_err(|reason| Fault::Name { field, reason })
    }

    fn time(&mut self, field: &'static str) -> Result<Option<Timestamp>, Fault> {
        let time = self.string(field)?.map(|time| time.parse());
        time.transpose().map_err(|_| Fault::Field {
            field,
            expected: "a time as RFC 3339 has it",
        })
    }

    fn list(&mut self, field: &'static str) -> Result<Vec<PrivateText>, Fault> {
        let wrong = || Fault::Field {
            field,
            expected: "a list of strings",
        };
        let text = |item| match item {
            Value::String(text) => Ok(text.into()),
            _ => Err(wrong()),
        };
        match self.0.remove(field) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => items.into_iter().map(text).collect(),
            Some(_) => Err(wrong()),
        }
    }

    fn end(mut self) -> Result<(), Fault> {
        self.0.remove("type");
        let field = self
            .0
            .into_iter()
            .next()
            .map(|(field, _)| field.chars().take(MOST_NAME_CHARACTERS).collect());
        field.map_or(Ok(()), |field: String| {
            Err(Fault::UnknownField {
                field: field.escape_debug().to_string(),
            })
        })
    }
}

/// How much of an unknown field's name is told, in characters. A name may be as long as a text.
const MOST_NAME_CHARACTERS: usize = 40;
