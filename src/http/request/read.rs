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

/// A whole number, which some clients write with a decimal point (24.0).
pub fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        let fits = number.fract() == 0.0 && (i64::MIN as f64..i64::MAX as f64).contains(&number);
        fits.then_some(number as i64)
    })
}

pub fn whole(field: &str, value: &Value, least: usize, most: usize) -> Result<usize, ApiError> {
    integer(value)
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

/// The most tokens of an answer; none where it is -1, as servers have it that know no limit.
pub fn limit(field: &str, value: &Value) -> Result<Option<usize>, ApiError> {
    match integer(value) {
        Some(-1) => Ok(None),
        _ => whole(field, value, 1, usize::MAX).map(Some),
    }
}
