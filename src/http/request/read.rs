//! Values of single fields, or what is wrong with them.

use serde_json::Value;

use crate::http::ApiError;

pub fn text<'a>(field: &str, value: &'a Value) -> Result<&'a str, ApiError> {
    value
        .as_str()
        .ok_or_else(|| ApiError::invalid(field, "it must be a string"))
}

pub fn flag(field: &str, value: &Value) -> Result<bool, ApiError> {
    value
        .as_bool()
        .ok_or_else(|| ApiError::invalid(field, "it must be true or false"))
}

pub fn number(field: &str, value: &Value, least: f64, most: f64) -> Result<f64, ApiError> {
    value
        .as_f64()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| ApiError::invalid(field, format!("it must be a number from {least} to {most}")))
}

pub fn whole(field: &str, value: &Value, least: usize, most: usize) -> Result<usize, ApiError> {
    value
        .as_u64()
        .and_then(|number| usize::try_from(number).ok())
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| {
            let range = match most {
                usize::MAX => format!("it must be a whole number, at least {least}"),
                _ => format!("it must be a whole number from {least} to {most}"),
            };
            ApiError::invalid(field, range)
        })
}
