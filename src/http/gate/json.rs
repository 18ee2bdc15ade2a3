//! A request's JSON, read strictly and written anew.
//!
//! What two parsers could read differently is refused: keys that stand twice, numbers out of range, anything but UTF-8. What is
//! left is kept as it was written, number literals and the order of keys included, so that writing it again changes nothing.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::foreign;
use crate::http::ApiError;

/// A value of JSON. Texts are wiped when it is dropped.
pub enum Json {
    Null,
    Bool(bool),
    /// As it was written.
    Number(String),
    Text(Zeroizing<String>),
    List(Vec<Json>),
    Object(Fields),
}

/// The fields of an object in the order in which they were written; no key stands twice.
pub type Fields = Vec<(String, Json)>;

/// What may follow a message about a body.
const WHAT_JSON_IS: &str = "JSON is UTF-8 and has no NaN, no Infinity, no comments and no key twice (RFC 8259)";

/// Reads a request's body, which must be one JSON object. A byte order mark before it is dropped.
///
/// # Errors
/// 400 that says what is wrong and where, and quotes no value.
pub fn object(body: &[u8]) -> Result<Fields, ApiError> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    if body.starts_with(b"\xFF\xFE") || body.starts_with(b"\xFE\xFF") || body.iter().take(4).any(|byte| *byte == 0) {
        return Err(ApiError::not_json("the request body is UTF-16 or UTF-32; send UTF-8"));
    }
    let text = std::str::from_utf8(body).map_err(|error| {
        ApiError::not_json(format!(
            "the request body is not UTF-8 from byte {} on",
            error.valid_up_to()
        ))
    })?;
    let literals = std::cell::RefCell::new(Literals { rest: text.as_bytes() });
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Node(&literals)
        .deserialize(&mut reader)
        .and_then(|json| reader.end().map(|()| json));
    match read {
        Ok(Json::Object(fields)) => Ok(fields),
        Ok(_) => Err(ApiError::not_json("the request body must be a JSON object")),
        Err(error) => Err(ApiError::not_json(format!(
            "the request body is not JSON: {}; {WHAT_JSON_IS}",
            reason(&error)
        ))),
    }
}

/// serde_json's messages quote nothing but what [`Node`] puts into them.
fn reason(error: &serde_json::Error) -> String {
    let said = error.to_string();
    if said.contains("hex escape") {
        return format!("{said} (half of a surrogate pair, or an escape that breaks off)");
    }
    said
}

impl Json {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The same for the readers of requests; numbers become what they can hold.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            // It was a number when it was read.
            Self::Number(literal) => serde_json::from_str(literal).unwrap_or_default(),
            Self::Text(text) => Value::String(text.to_string()),
            Self::List(list) => list.iter().map(Self::to_value).collect(),
            Self::Object(fields) => Value::Object(to_map(fields)),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(true) => out.extend_from_slice(b"true"),
            Self::Bool(false) => out.extend_from_slice(b"false"),
            Self::Number(literal) => out.extend_from_slice(literal.as_bytes()),
            Self::Text(text) => write_text(text, out),
            Self::List(list) => {
                let mut separator = b'[';
                for value in list {
                    out.push(separator);
                    value.write(out);
                    separator = b',';
                }
                if list.is_empty() {
                    out.push(separator);
                }
                out.push(b']');
            }
            Self::Object(fields) => write_fields(fields, out),
        }
    }
}

/// The fields for the readers of requests.
pub fn to_map(fields: &[(String, Json)]) -> serde_json::Map<String, Value> {
    fields
        .iter()
        .map(|(key, value)| (key.clone(), value.to_value()))
        .collect()
}

/// The object as it goes out.
pub fn written(fields: &[(String, Json)]) -> Vec<u8> {
    let mut out = Vec::new();
    write_fields(fields, &mut out);
    out
}

fn write_fields(fields: &[(String, Json)], out: &mut Vec<u8>) {
    let mut separator = b'{';
    for (key, value) in fields {
        out.push(separator);
        write_text(key, out);
        out.push(b':');
        value.write(out);
        separator = b',';
    }
    if fields.is_empty() {
        out.push(separator);
    }
    out.push(b'}');
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    // Writing a string to memory does not fail.
    let _written = serde_json::to_writer(out, text);
}

/// The number literals of a text in their order. serde_json gives numbers as values; `1.0` or `12345678901234567890123` would not
/// come out as they went in.
struct Literals<'a> {
    rest: &'a [u8],
}

impl<'a> Literals<'a> {
    /// The next one. What is read so far is JSON, or reading ends anyway.
    fn next(&mut self) -> &'a [u8] {
        loop {
            match self.rest.first() {
                None => return b"",
                Some(b'"') => {
                    let mut escaped = false;
                    let closing = self.rest.iter().skip(1).position(|byte| {
                        let closes = *byte == b'"' && !escaped;
                        escaped = *byte == b'\\' && !escaped;
                        closes
                    });
                    self.rest = closing.and_then(|at| self.rest.get(at + 2..)).unwrap_or_default();
                }
                Some(b'-' | b'0'..=b'9') => {
                    let in_number = |byte: &&u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                    let length = self.rest.iter().take_while(in_number).count();
                    let (literal, rest) = self.rest.split_at(length);
                    self.rest = rest;
                    return literal;
                }
                Some(_) => self.rest = self.rest.get(1..).unwrap_or_default(),
            }
        }
    }
}

/// Reads a value, with the literals of its numbers at hand.
#[derive(Clone, Copy)]
struct Node<'a, 'b>(&'b std::cell::RefCell<Literals<'a>>);

impl Node<'_, '_> {
    fn number<E: serde::de::Error>(self) -> Result<Json, E> {
        let literal = self.0.borrow_mut().next();
        let literal = std::str::from_utf8(literal).map_err(E::custom)?;
        Ok(Json::Number(literal.to_owned()))
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
        Ok(Json::Bool(flag))
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Json, E> {
        self.number()
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Json, E> {
        self.number()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Json, E> {
        self.number()
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element_seed(self)? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Json, A::Error> {
        let mut fields = Fields::new();
        while let Some(key) = pairs.next_key::<String>()? {
            let value = pairs.next_value_seed(self)?;
            fields.push((key, value));
        }
        match twice(&fields) {
            Some(key) => Err(A::Error::custom(format_args!(
                "the key \"{}\" stands twice in one object",
                foreign::beginning(key, 40)
            ))),
            None => Ok(Json::Object(fields)),
        }
    }
}

fn twice(fields: &Fields) -> Option<&str> {
    let mut keys: Vec<&str> = fields.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    keys.windows(2)
        .find(|pair| pair.first() == pair.last())
        .and_then(|pair| pair.first().copied())
}

/// The fields of an object, for tests.
#[cfg(test)]
pub fn fields_of(value: &Value) -> Fields {
    object(value.to_string().as_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn again(text: &str) -> Result<String, String> {
        let fields = object(text.as_bytes()).map_err(|error| error.body().to_string())?;
        Ok(String::from_utf8(written(&fields)).unwrap())
    }

    #[test]
    fn what_goes_in_comes_out() {
        for text in [
            "{}",
            r#"{"b":1,"a":[1.0,0.10,-0,1e3,1E+2,12345678901234567890123,-1.5e-7],"c":{"x":null,"":[]},"d":[true,false,{}]}"#,
            r#"{"text":"a\"1\\","n":7,"更":"我們","e":"\u0001"}"#,
        ] {
            assert_eq!(again(text).unwrap(), text);
        }
        assert_eq!(
            again("\u{feff} { \"a\" : [ 1 , \"\\u0041\\/\" ] } ").unwrap(),
            r#"{"a":[1,"A/"]}"#
        );
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for (text, says) in [
            (r#"{"a":1,"a":2}"#, r#"\"a\" stands twice"#),
            (r#"{"x":[{"a":1,"b":2,"\u0061":3}]}"#, "stands twice"),
            (r#"{"a":NaN}"#, "no NaN"),
            (r#"{"a":Infinity}"#, "no NaN"),
            (r#"{"a":1e999}"#, "out of range"),
            (r#"{"a":"\ud83d"}"#, "surrogate"),
            (r#"{"a":01}"#, "number"),
            ("{'a':1}", "key"),
            (r#"{"a":1,}"#, "trailing comma"),
            (r#"{"a":1}{"b":2}"#, "trailing characters"),
            ("{\"a\":\"\t\"}", "control character"),
            (r#"["a"]"#, "must be a JSON object"),
            (r#""a""#, "must be a JSON object"),
            ("", "not JSON"),
            (r#"{"a":1 /* b */}"#, "not JSON"),
        ] {
            let error = again(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        assert!(again(&deep).unwrap_err().contains("recursion"));
        let wide: Vec<u8> = r#"{"a":1}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(object(&wide).is_err() && object(b"\xFF\xFE{\0}\0").is_err() && object(b"{\"a\":\"\xFF\"}").is_err());
    }

    proptest! {
        #[test]
        fn the_same_values_as_serde_json_reads(text in "[ -~äß我]{0,20}", number: f64, whole: i64, flag: bool) {
            let value = json!({"text": text, "list": [number, whole, [flag, null], {"in\"ner": text}], "n": whole});
            let text = value.to_string();
            let fields = object(text.as_bytes()).unwrap();
            prop_assert_eq!(&String::from_utf8(written(&fields)).unwrap(), &text);
            prop_assert_eq!(Value::Object(to_map(&fields)), serde_json::from_str::<Value>(&text).unwrap());
        }

        #[test]
        fn whatever_is_taken_serde_json_takes_too(text in r#"[\[\]{}:,"0-9a-eE.+\\ -]{0,24}"#) {
            let text = format!("{{{text}}}");
            if let Ok(fields) = object(text.as_bytes()) {
                prop_assert_eq!(Value::Object(to_map(&fields)), serde_json::from_str::<Value>(&text).unwrap());
            }
        }
    }
}
