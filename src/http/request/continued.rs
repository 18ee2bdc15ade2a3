//! Whether the last message of a chat is one of the assistant's that the answer goes on with.

use serde_json::Value;

use super::typed::typed;
use crate::http::ApiError;
use crate::vocabulary::Role;

/// How vLLM and SGLang are told.
const CONTINUE: &str = "continue_final_message";
const GENERATE: &str = "add_generation_prompt";

/// The fields that were read.
#[derive(Default)]
pub struct ContinuedFields {
    goes_on: Option<bool>,
    generates: Option<bool>,
}

impl ContinuedFields {
    /// Reads one field that is no null; false for one that is not among them.
    ///
    /// # Errors
    /// 400 naming a field that is wrong.
    pub fn read(&mut self, field: &str, value: &Value) -> Result<bool, ApiError> {
        match field {
            CONTINUE => self.goes_on = Some(typed(field, value)?),
            GENERATE => self.generates = Some(typed(field, value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What they say of a chat whose last message is of this role. Where nothing does, a closing message of the assistant's is answered
    /// with another one.
    ///
    /// # Errors
    /// 400 naming a field that contradicts another or the chat.
    pub fn say_so(&self, last: Role) -> Result<bool, ApiError> {
        let field = match (self.goes_on, self.generates) {
            (Some(true), Some(true)) => {
                return Err(ApiError::invalid(
                    GENERATE,
                    format!("it cannot be true where {CONTINUE} is"),
                ));
            }
            (Some(false), Some(false)) => {
                let message = format!("an answer has to begin somewhere: leave it out, or set {CONTINUE} as well");
                return Err(ApiError::invalid(GENERATE, message));
            }
            (Some(true), _) => CONTINUE,
            (_, Some(false)) => GENERATE,
            _ => return Ok(false),
        };
        match last {
            Role::Assistant => Ok(true),
            _ => Err(ApiError::invalid(
                field,
                "it goes on with the last message, which must be the assistant's",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(fields: Value, role: Role) -> Result<bool, String> {
        let mut read = ContinuedFields::default();
        let named = |error: ApiError| error.body()["error"]["param"].as_str().unwrap().to_owned();
        for (field, value) in fields.as_object().unwrap() {
            assert!(read.read(field, value).map_err(named)?);
        }
        read.say_so(role).map_err(named)
    }

    #[test]
    fn two_ways_of_saying_so() {
        for fields in [
            json!({"continue_final_message": true}),
            json!({"add_generation_prompt": false}),
            json!({"continue_final_message": true, "add_generation_prompt": false}),
        ] {
            assert_eq!(read(fields, Role::Assistant), Ok(true));
        }
        for fields in [
            json!({}),
            json!({"add_generation_prompt": true}),
            json!({"continue_final_message": false}),
        ] {
            assert_eq!(read(fields, Role::Assistant), Ok(false));
        }
    }

    #[test]
    fn contradictions_are_named() {
        for (fields, role, named) in [
            (json!({"continue_final_message": true}), Role::User, CONTINUE),
            (json!({"add_generation_prompt": false}), Role::User, GENERATE),
            (
                json!({"continue_final_message": true, "add_generation_prompt": true}),
                Role::Assistant,
                GENERATE,
            ),
            (
                json!({"continue_final_message": false, "add_generation_prompt": false}),
                Role::Assistant,
                GENERATE,
            ),
            (json!({"continue_final_message": "yes"}), Role::Assistant, CONTINUE),
        ] {
            assert_eq!(read(fields, role), Err(named.to_owned()));
        }
    }
}
