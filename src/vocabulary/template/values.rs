//! Values as templates see them: JSON's, with objects in the order in which they were written.

use std::collections::HashMap;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};
use serde_json::Value as Json;

/// A dictionary that keeps its order, as Python's do.
#[derive(Debug)]
pub struct Dictionary(Vec<(Value, Value)>);

impl Dictionary {
    /// From keys and values; of the same keys, the last value counts.
    pub fn new(entries: impl IntoIterator<Item = (Value, Value)>) -> Self {
        let mut kept: Vec<(Value, Value)> = Vec::new();
        let mut places: HashMap<Value, usize> = HashMap::new();
        for (key, value) in entries {
            match places.get(&key).and_then(|place| kept.get_mut(*place)) {
                Some(entry) => entry.1 = value,
                None => {
                    places.insert(key.clone(), kept.len());
                    kept.push((key, value));
                }
            }
        }
        Self(kept)
    }

    /// As a template's value.
    pub fn into_value(self) -> Value {
        Value::from_object(self)
    }
}

impl Object for Dictionary {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let found = self.0.iter().find(|(other, _)| other == key);
        found.map(|(_, value)| value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.iter().map(|(key, _)| key.clone()).collect())
    }
}

/// JSON as a template's value.
pub fn of(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => Value::from_serialize(number),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(list) => list.iter().map(of).collect::<Vec<Value>>().into(),
        Json::Object(map) => {
            Dictionary::new(map.iter().map(|(key, value)| (Value::from(key.as_str()), of(value)))).into_value()
        }
    }
}
