//! Fields that other servers take: renamed where one of ours means the same, without effect, or refused by name.

mod effect;
mod nested;
mod order;
mod table;

use serde_json::{Map, Value};

use super::RequestError;
use crate::service::Options;
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
    /// Takes them out of `body`, which has ours alone afterwards. Where a field stands under both names, ours counts.
    pub fn take(body: &mut Map<String, Value>) -> Self {
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
            let renamed = self.renamed.iter().find(|(ours, _)| *ours == field);
            renamed.map_or_else(|| field.to_owned(), |(_, theirs)| theirs.clone())
        })
    }

    /// Refuses the first that would have an effect on the answer.
    ///
    /// # Errors
    /// [`RequestError::Unsteerable`] naming the field and what it asks for.
    pub fn check(self, options: &Options) -> Result<(), RequestError> {
        for (field, value, meaning) in self.open {
            if let Meaning::Unless(is_without_effect, reason) = meaning
                && !is_without_effect(&value, options)
            {
                return Err(RequestError::Unsteerable { field, reason });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
