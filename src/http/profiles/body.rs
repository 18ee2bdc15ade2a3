//! Bodies. serde reads structs from lists, too, by the order of their fields, which is nothing that anybody should rely on.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::http::ApiError;

/// The body as `wanted` says. The error says where it is not, and quotes nothing: bodies are private.
///
/// # Errors
/// 400.
pub fn read<T: DeserializeOwned>(body: &[u8], wanted: &str) -> Result<T, ApiError> {
    let object: Result<Object<T>, _> = serde_json::from_slice(body);
    object
        .map(|Object(value)| value)
        .map_err(|error| unread(&error, wanted))
}

/// The same where there may be a list of them.
///
/// # Errors
/// 400.
pub fn read_all<T: DeserializeOwned>(body: &[u8], wanted: &str) -> Result<Vec<T>, ApiError> {
    if !body.trim_ascii_start().starts_with(b"[") {
        return Ok(vec![read(body, wanted)?]);
    }
    let objects: Result<Vec<Object<T>>, _> = serde_json::from_slice(body);
    objects
        .map(|objects| objects.into_iter().map(|Object(value)| value).collect())
        .map_err(|error| unread(&error, wanted))
}

fn unread(error: &serde_json::Error, wanted: &str) -> ApiError {
    let (line, column) = (error.line(), error.column());
    ApiError::not_json(format!(
        "the body must be {wanted}; it is not from line {line}, column {column} on"
    ))
}

/// What is an object in JSON.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for One<T> {
            type Value = Object<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(One(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Pair {
        left: u8,
        #[serde(default)]
        right: u8,
    }

    fn refused<T: fmt::Debug>(read: Result<T, ApiError>) -> String {
        format!("{:?}", read.unwrap_err())
    }

    #[test]
    fn objects_are_read_and_nothing_else() {
        let pair = Pair { left: 1, right: 0 };
        assert_eq!(read::<Pair>(br#"{"left": 1}"#, "a pair").unwrap(), pair);
        for wrong in [
            "[1, 2]",
            "[]",
            "1",
            "null",
            "\"left\"",
            "{\"left\": 1}}",
            "{\"left\": 1, \"up\": 2}",
            "",
        ] {
            assert!(
                refused(read::<Pair>(wrong.as_bytes(), "a pair")).contains("a pair"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn lists_of_objects_are_read_and_what_is_wrong_is_found() {
        let read = |body: &str| read_all::<Pair>(body.as_bytes(), "pairs");
        assert_eq!(read("{\"left\": 1}").unwrap().len(), 1);
        assert_eq!(read("[]").unwrap().len(), 0);
        assert_eq!(read("[{\"left\": 1}, {\"left\": 2}]").unwrap().len(), 2);
        for wrong in ["[[1, 2]]", "[1]", "{}", "[{\"left\": 300}]", "\"a\""] {
            refused(read(wrong));
        }
        let said = refused(read("[{\"left\": 1},\n {\"left\": \"secret\"}]"));
        assert!(said.contains("line 2, column 18") && !said.contains("secret"), "{said}");
    }
}
