use std::path::Path;

use serde_json::Value;

use super::{chatgpt, others};
use crate::store::import::{Entry, Fault, Wanted, record};

/// An entry, with the number from 1 of the item that it is from, where the value has several.
pub type Read = (Option<usize>, Result<Entry, Fault>);

/// Where exports have their conversations or records within one object.
const LISTS: [&str; 6] = ["conversations", "items", "records", "documents", "data", "notes"];

/// What is in a value of JSON: a conversation, a record, or a list of them. `place` is the file's.
pub fn read(mut value: Value, place: &Path, wanted: &Wanted) -> Vec<Read> {
    if let Value::Array(items) = value {
        let each = items.into_iter().enumerate();
        return each
            .flat_map(|(index, item)| {
                let read = if item.is_array() {
                    vec![(None, Err(Fault::NotARecord))]
                } else {
                    read(item, place, wanted)
                };
                read.into_iter().map(move |(_, entry)| (Some(index + 1), entry))
            })
            .collect();
    }
    if chatgpt::is(&value) {
        return vec![(None, chatgpt::read(&value, wanted))];
    }
    if others::is(&value) {
        return vec![(None, others::read(&value, place, wanted))];
    }
    if let Value::Object(fields) = &mut value {
        let list = LISTS
            .iter()
            .find(|list| fields.get(**list).is_some_and(Value::is_array));
        if let Some(list) = list.filter(|_| !record::is(fields))
            && let Some(list) = fields.remove(*list)
        {
            return read(list, place, wanted);
        }
    }
    record::read(value, place)
}
