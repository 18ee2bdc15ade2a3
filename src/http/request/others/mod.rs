//! Fields that other servers take: renamed where one of ours means the same, without effect, or refused by name.

mod effect;
mod nested;
mod order;
mod table;

use serde_json::{Map, Value};

use super::RequestError;
use super::options::unknown;
use crate::service::PublicRequest;
use effect::Meaning;
use table::meaning;

/// The fields of a request that were read as another server's.
#[derive(Default)]
pub struct Others {
    /// Ours, and what the client calls them.
    renamed: Vec<(&'static str, String)>,
    /// Whether these have an effect depends on the whole request.
    open: Vec<(String, Value, Meaning)>,
}

impl Others {
    /// Takes others' fields out of `body`, and has `read` read the rest of them, which are no nulls. It says false to a field that it does
    /// not know. Where a field stands under both names, ours counts.
    ///
    /// # Errors
    /// [`RequestError`] naming the first field that is wrong, or that nobody knows.
    pub fn read(
        mut body: Map<String, Value>,
        mut read: impl FnMut(&str, &Value) -> Result<bool, RequestError>,
    ) -> Result<Self, RequestError> {
        let others = Self::take(&mut body);
        for (field, value) in body.iter().filter(|(_, value)| !value.is_null()) {
            if !read(field, value).map_err(|error| others.under_its_name(error))? {
                return Err(unknown(field));
            }
        }
        Ok(others)
    }

    /// Takes them out of `body`, which has ours alone afterwards.
    fn take(body: &mut Map<String, Value>) -> Self {
        nested::unfold(body);
        let mut others = Self::default();
        let names: Vec<String> = body.keys().cloned().collect();
        for name in names {
            let Some(meaning) = meaning(&name) else {
                continue;
            };
            let Some(value) = body.remove(&name).filter(|value| !value.is_null()) else {
                continue;
            };
            match meaning {
                Meaning::Is(ours) => {
                    if body.get(ours).is_none_or(Value::is_null) {
                        body.insert(ours.to_owned(), value);
                        others.renamed.push((ours, name));
                    }
                }
                Meaning::Nothing => {}
                Meaning::Unless(..) => others.open.push((name, value, meaning)),
            }
        }
        others
    }

    /// What is wrong with a field, under the name by which the client knows it.
    pub fn under_its_name(&self, error: RequestError) -> RequestError {
        error.renamed(|field| {
            let theirs = |(ours, theirs): &(&str, String)| {
                let rest = field.strip_prefix(ours)?;
                (rest.is_empty() || rest.starts_with(['.', '['])).then(|| format!("{theirs}{rest}"))
            };
            self.renamed.iter().find_map(theirs).unwrap_or_else(|| field.to_owned())
        })
    }

    /// Refuses the first that would have an effect on the answer.
    ///
    /// # Errors
    /// [`RequestError::Unsteerable`] naming the field and what it asks for.
    pub fn check(self, request: &PublicRequest) -> Result<(), RequestError> {
        for (field, value, meaning) in self.open {
            if let Meaning::Unless(is_without_effect, reason) = meaning
                && !is_without_effect(&value, request)
            {
                return Err(RequestError::Unsteerable { field, reason });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
