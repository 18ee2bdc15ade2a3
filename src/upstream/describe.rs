use std::fmt;

use serde::Serialize;

use super::Driver;
use crate::foreign;

/// What a server is and gives, as it says itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Description {
    /// How it is spoken to.
    pub driver: Driver,
    /// What it was recognised by.
    pub signs: String,
    /// Name and version.
    pub server: String,
    /// What it serves; empty where it does not say.
    pub models: Vec<ServedModel>,
    /// What it gives at a position.
    #[serde(flatten)]
    pub limits: RequestLimits,
}

/// What can be asked of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RequestLimits {
    /// Most candidates it lists; `None` where there is no limit or it is not known.
    pub longest_list: Option<usize>,
    /// Whether single tokens can be asked for by id.
    pub by_id: bool,
}

/// A model that is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServedModel {
    /// Its name.
    pub id: String,
    /// Tokens of prompt and answer together; `None` where the server does not say.
    pub context_length: Option<usize>,
    /// Entries of its vocabulary, padding included; `None` where the server does not say.
    pub vocabulary: Option<usize>,
    /// What distinguishes it from another model of the same name, in the server's own words.
    pub identity: String,
}

impl Description {
    /// The model that a request for `name` gets: the one of that name, or else the first, since some servers take any name.
    pub fn model(&self, name: Option<&str>) -> Option<&ServedModel> {
        let named = self.models.iter().find(|model| Some(model.id.as_str()) == name);
        named.or(self.models.first())
    }
}

impl fmt::Display for Description {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", foreign::line(&self.server))?;
        if let Some(model) = self.models.first() {
            write!(formatter, ", model {}", foreign::line(&model.id))?;
            if let Some(length) = model.context_length {
                write!(formatter, " (context {length})")?;
            }
        }
        if self.models.len() > 1 {
            write!(formatter, " and {} more", self.models.len() - 1)?;
        }
        match self.limits.longest_list {
            Some(longest) => write!(formatter, ", at most {longest} candidates a position")?,
            None => write!(formatter, ", any number of candidates a position")?,
        }
        let by_id = if self.limits.by_id { "can" } else { "cannot" };
        write!(formatter, ", single tokens {by_id} be asked for")
    }
}
