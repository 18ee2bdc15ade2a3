//! Forms that hosts and gateways give to fields that say nothing: null, an empty text, or no field at all.

use serde::{Deserialize, Deserializer};

/// A field's value; null counts as no field.
pub fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Why an answer has ended. Some gateways write an empty text while it has not.
pub fn reason<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let reason = Option::<String>::deserialize(deserializer)?;
    Ok(reason.filter(|reason| !reason.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Choice {
        #[serde(default, deserialize_with = "nullable")]
        tokens: Vec<u32>,
        #[serde(default, deserialize_with = "reason")]
        finish_reason: Option<String>,
    }

    #[test]
    fn null_empty_and_missing_are_the_same() {
        for json in [
            "{}",
            r#"{"tokens":null,"finish_reason":null}"#,
            r#"{"finish_reason":""}"#,
        ] {
            let choice: Choice = serde_json::from_str(json).unwrap();
            assert!(choice.tokens.is_empty() && choice.finish_reason.is_none(), "{json}");
        }
        let choice: Choice = serde_json::from_str(r#"{"tokens":[1],"finish_reason":"stop"}"#).unwrap();
        assert_eq!(
            (choice.tokens, choice.finish_reason.as_deref()),
            (vec![1], Some("stop"))
        );
    }
}
