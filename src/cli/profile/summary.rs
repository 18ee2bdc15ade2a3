//! What an import came to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::json;

use crate::store::import::Skip;
use crate::store::{Imported, ProfileName};

/// Kinds of files that are named one by one; the others are counted together.
const NAMED: usize = 8;

/// What has been done.
pub struct Summary {
    json: bool,
    /// Documents.
    pub imported: Imported,
    /// Those that were made, or told what to say.
    pub profiles: BTreeSet<ProfileName>,
    /// What could not be used.
    pub problems: usize,
    skipped: BTreeMap<Skip, u64>,
}

impl Summary {
    /// Nothing yet. `json` is how it is told.
    pub fn new(json: bool) -> Self {
        Self {
            json,
            imported: Imported::default(),
            profiles: BTreeSet::new(),
            problems: 0,
            skipped: BTreeMap::new(),
        }
    }

    /// Something that there was nothing to do with.
    pub fn skipped(&mut self, skip: Skip) {
        *self.skipped.entry(skip).or_default() += 1;
    }

    /// All of it in one line.
    pub fn line(&self) -> String {
        let Imported {
            added,
            updated,
            unchanged,
        } = self.imported;
        let (profiles, problems) = (self.profiles.len(), self.problems);
        if self.json {
            let mut line = json!(self.imported);
            line["done"] = true.into();
            line["profiles"] = profiles.into();
            line["problems"] = problems.into();
            line["skipped"] = self
                .skipped
                .iter()
                .map(|(skip, count)| (skip.to_string(), *count))
                .collect();
            return line.to_string();
        }
        let skipped = if self.skipped.is_empty() {
            String::new()
        } else {
            format!(
                ", {} skipped ({})",
                self.skipped.values().sum::<u64>(),
                counts(&self.skipped)
            )
        };
        let left_out = if problems == 0 {
            "no problems".to_owned()
        } else {
            format!("{problems} left out")
        };
        format!(
            "{profiles} profiles; documents: {added} added, {updated} updated, {unchanged} unchanged, {left_out}{skipped}"
        )
    }
}

/// What was seen of one path.
#[derive(Default)]
pub struct Seen {
    /// Whether anything was understood, though it may have been of no use.
    pub understood: bool,
    skipped: BTreeMap<Skip, u64>,
}

impl Seen {
    /// Something that was passed over.
    pub fn skipped(&mut self, skip: &Skip) {
        *self.skipped.entry(skip.clone()).or_default() += 1;
    }

    /// That nothing was understood, where it was so: doing nothing must not look like success.
    pub fn nothing(&self, path: &Path) -> Option<String> {
        if self.understood {
            return None;
        }
        let seen = if self.skipped.is_empty() {
            "it is empty".to_owned()
        } else {
            counts(&self.skipped)
        };
        Some(format!("{} has nothing to import: {seen}", path.display()))
    }
}

/// "3 .png, 2 without text", the most frequent first.
fn counts(skipped: &BTreeMap<Skip, u64>) -> String {
    let mut counts: Vec<(&Skip, &u64)> = skipped.iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut told: Vec<String> = counts
        .iter()
        .take(NAMED)
        .map(|(skip, count)| format!("{count} {skip}"))
        .collect();
    if let Some(rest) = counts.get(NAMED..).filter(|rest| !rest.is_empty()) {
        let rest: u64 = rest.iter().map(|(_, count)| **count).sum();
        told.push(format!("{rest} of other kinds"));
    }
    told.join(", ")
}
