use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

/// What the configuration adds to every request.
#[derive(Clone, Default)]
pub struct Extra {
    /// Headers; they take the place of a client's.
    pub headers: HeaderMap,
    /// Fields of JSON bodies. A field that a request has keeps its value.
    pub body: Map<String, Value>,
}

impl Extra {
    /// The JSON text of a body with the fields that it lacks. What is no JSON object is left alone.
    pub fn added_to(&self, body: Bytes) -> Bytes {
        if self.body.is_empty() {
            return body;
        }
        let Ok(mut fields) = serde_json::from_slice::<Map<String, Value>>(&body) else {
            return body;
        };
        for (name, value) in &self.body {
            fields.entry(name).or_insert_with(|| value.clone());
        }
        serde_json::to_vec(&fields).map_or(body, Bytes::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_added_and_never_replaced() {
        let body = serde_json::from_str(r#"{"provider": {"order": ["a"]}, "stream": false}"#).unwrap();
        let extra = Extra {
            body,
            ..Extra::default()
        };
        let added = |body: &'static str| extra.added_to(Bytes::from_static(body.as_bytes()));
        let expected: &[u8] = br#"{"stream":true,"provider":{"order":["a"]}}"#;
        assert_eq!(added(r#"{"stream":true}"#), expected);
        for other in ["", "[1]", "{"] {
            assert_eq!(added(other), other.as_bytes());
        }
        assert_eq!(Extra::default().added_to(Bytes::from_static(b"{ }")), &b"{ }"[..]);
    }
}
