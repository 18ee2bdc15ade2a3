use std::collections::BTreeMap;

use crate::store::{Document, ProfileName};

/// Documents of one profile that are written in one transaction.
const BATCH: usize = 256;
/// The most text that waits for that, in bytes: files may go from profile to profile.
const MOST_WAITING: usize = 32 << 20;

/// Documents of one profile, to be written in one transaction.
pub type Batch = (ProfileName, Vec<Document>);

/// Documents that wait until there are enough of them for a transaction.
#[derive(Default)]
pub struct Batches {
    waiting: BTreeMap<ProfileName, Vec<Document>>,
    /// The length of their texts.
    bytes: usize,
}

impl Batches {
    /// Adds one. Gives what is to be written now.
    pub fn add(&mut self, whose: ProfileName, document: Document) -> Vec<Batch> {
        self.bytes += length(&document);
        let waiting = self.waiting.entry(whose.clone()).or_default();
        waiting.push(document);
        if waiting.len() >= BATCH {
            let batch = self.waiting.remove(&whose).unwrap_or_default();
            self.bytes -= batch.iter().map(length).sum::<usize>();
            return vec![(whose, batch)];
        }
        if self.bytes > MOST_WAITING {
            return self.rest();
        }
        Vec::new()
    }

    /// All that waits.
    pub fn rest(&mut self) -> Vec<Batch> {
        self.bytes = 0;
        std::mem::take(&mut self.waiting).into_iter().collect()
    }
}

fn length(document: &Document) -> usize {
    document.text.as_private_str().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> ProfileName {
        ProfileName::new(name).unwrap()
    }

    #[test]
    fn documents_wait_until_there_are_enough_and_none_is_lost() {
        let mut batches = Batches::default();
        let mut written = Vec::new();
        for number in 0..1000 {
            let whose = name(if number % 3 == 0 { "ada" } else { "bob" });
            let document = Document {
                text: number.to_string().into(),
                ..Document::default()
            };
            for (whose, batch) in batches.add(whose, document) {
                assert_eq!(batch.len(), BATCH, "{whose}");
                written.extend(batch);
            }
        }
        written.extend(batches.rest().into_iter().flat_map(|(_, batch)| batch));
        let mut numbers: Vec<usize> = written
            .iter()
            .map(|document| document.text.as_private_str().parse().unwrap())
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
        assert!(batches.rest().is_empty() && batches.bytes == 0);
    }

    #[test]
    fn long_texts_do_not_pile_up() {
        let mut batches = Batches::default();
        let long = || Document {
            text: "x".repeat(MOST_WAITING / 2).into(),
            ..Document::default()
        };
        assert!(batches.add(name("ada"), long()).is_empty());
        assert!(batches.add(name("bob"), long()).is_empty());
        assert_eq!(batches.add(name("eve"), long()).len(), 3);
    }
}
