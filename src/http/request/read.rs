//! Types of single values. Each says what it must be where it is something else.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::typed::wanted;

/// A number from `LEAST` to `MOST`.
pub struct Number<const LEAST: i32, const MOST: i32>(pub f64);

impl<'de, const LEAST: i32, const MOST: i32> Deserialize<'de> for Number<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Value::deserialize(deserializer)?.as_f64();
        let number = number.filter(|number| (f64::from(LEAST)..=f64::from(MOST)).contains(number));
        let wrong = || wanted(format_args!("a number from {LEAST} to {MOST}"));
        number.map(Self).ok_or_else(wrong)
    }
}

/// A whole number, which some clients write with a decimal point (24.0).
pub struct Integer(pub i64);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        integer(&Value::deserialize(deserializer)?)
            .map(Self)
            .ok_or_else(|| wanted("an integer"))
    }
}

fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        let fits = number.fract() == 0.0 && (i64::MIN as f64..i64::MAX as f64).contains(&number);
        fits.then_some(number as i64)
    })
}

/// The same from `LEAST` to `MOST`.
pub struct Whole<const LEAST: usize, const MOST: usize>(pub usize);

impl<'de, const LEAST: usize, const MOST: usize> Deserialize<'de> for Whole<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = integer(&Value::deserialize(deserializer)?).and_then(|number| usize::try_from(number).ok());
        let number = number.filter(|number| (LEAST..=MOST).contains(number));
        number.map(Self).ok_or_else(|| match MOST {
            usize::MAX => wanted(format_args!("a whole number, at least {LEAST}")),
            _ => wanted(format_args!("a whole number from {LEAST} to {MOST}")),
        })
    }
}

/// How many there may be at most; no limit where it is -1, as servers have it that know none.
pub struct Limit<const LEAST: usize>(pub Option<usize>);

impl<'de, const LEAST: usize> Deserialize<'de> for Limit<LEAST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if integer(&value) == Some(-1) {
            return Ok(Self(None));
        }
        let whole = Whole::<LEAST, { usize::MAX }>::deserialize(value);
        whole.map(|number| Self(Some(number.0))).map_err(D::Error::custom)
    }
}
