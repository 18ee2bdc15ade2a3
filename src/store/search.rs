//! The documents of a profile that a question is about.

use rusqlite::{Connection, params};
use serde::Serialize;

use super::profiles::{found, read_profile};
use super::schema::ProfileId;
use super::stored_document::read_document;
use super::terms::{Language, queried};
use super::trouble::Trouble;
use super::{DocumentId, Profile, ProfileName, Store, StoreError, StoredDocument};

/// A document that was found.
#[derive(Serialize)]
pub struct Hit {
    /// BM25, higher is better; 0 where only one term was asked for and it is too common to rank by.
    pub score: f64,
    /// The document.
    #[serde(rename = "document")]
    pub stored: StoredDocument,
}

/// Occurrences a search may look at. Scoring one takes FTS5 two microseconds, and the more the more terms there are; a search
/// should take milliseconds however many documents there are (benches/retrieval.rs).
const BUDGET: u64 = 2_500;
/// Terms a search may look for: FTS5 asks each about every document that any of them finds.
const MOST_TERMS: usize = 24;

/// How much more a term counts in a title or tag than in the text.
const TITLE_WEIGHT: f64 = 2.0;

impl Store {
    /// The `count` documents of the profile that fit `query` best, best first, by BM25 (k₁ = 1.2, b = 0.75, as FTS5 has it);
    /// later ones first where it ties. The query may be a whole paragraph; its terms count from the rarest on, as many as fit
    /// into a budget of terms and of their occurrences.
    ///
    /// # Errors
    /// [`StoreError::NoSuchProfile`].
    pub fn search(&self, name: &ProfileName, query: &str, count: usize) -> Result<Vec<Hit>, StoreError> {
        self.database.read(|connection| {
            let profile = found(connection, name)?;
            Ok::<_, Trouble>(search(connection, profile, query, count)?)
        })
    }

    /// What the profile says, and what [`Self::search`] finds, both as of one moment.
    ///
    /// # Errors
    /// [`StoreError::NoSuchProfile`].
    pub fn recall(&self, name: &ProfileName, query: &str, count: usize) -> Result<(Profile, Vec<Hit>), StoreError> {
        self.database.read(|connection| {
            let profile = found(connection, name)?;
            let hits = search(connection, profile, query, count)?;
            Ok::<_, Trouble>((read_profile(connection, name)?, hits))
        })
    }
}

fn search(connection: &Connection, profile: ProfileId, query: &str, count: usize) -> rusqlite::Result<Vec<Hit>> {
    let mut languages = languages(connection, profile)?;
    let own = Language::of(query).unwrap_or(Language::ENGLISH);
    if !languages.contains(&own) {
        languages.push(own);
    }
    let terms = queried(query, &languages);
    let ranked = match choose(frequencies(connection, profile, terms)?) {
        Chosen::Nothing => return Ok(Vec::new()),
        Chosen::Terms(terms) => best(scored(connection, profile, &terms)?, count),
        Chosen::TooCommon(term) => newest(connection, profile, &term)?,
    };
    let mut timed = Vec::with_capacity(ranked.len());
    let mut time = connection.prepare_cached("SELECT time FROM documents WHERE id = ?")?;
    for (id, score) in ranked {
        timed.push((id, score, time.query_row([id.0], |row| row.get::<_, Option<i64>>(0))?));
    }
    // The number decides at last, so that the same question finds the same documents in the same order.
    timed.sort_unstable_by(|(left_id, left, left_time), (right_id, right, right_time)| {
        let later = right_time.cmp(left_time);
        right.total_cmp(left).then(later).then(right_id.cmp(left_id))
    });
    let hits = timed.into_iter().take(count).map(|(id, score, _)| {
        let document = read_document(connection, profile, id)?;
        Ok(document.map(|stored| Hit { score, stored }))
    });
    hits.filter_map(Result::transpose).collect()
}

/// The languages of the profile's documents.
fn languages(connection: &Connection, profile: ProfileId) -> rusqlite::Result<Vec<Language>> {
    // One step of the index for each language, however many documents there are.
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE found (language) AS (
            SELECT min(language) FROM documents WHERE profile = ?1
            UNION ALL
            SELECT (SELECT min(language) FROM documents WHERE profile = ?1 AND language > found.language)
            FROM found WHERE language IS NOT NULL
         )
         SELECT language FROM found WHERE language IS NOT NULL",
    )?;
    let codes = statement.query_map([profile.0], |row| row.get::<_, String>(0))?;
    let codes = codes.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(codes.iter().filter_map(|code| Language::from_code(code)).collect())
}

/// Those of the terms that the profile has, with the numbers of documents they stand in.
fn frequencies(
    connection: &Connection,
    profile: ProfileId,
    terms: Vec<String>,
) -> rusqlite::Result<Vec<(String, u64)>> {
    let mut statement =
        connection.prepare_cached("SELECT documents FROM frequencies WHERE profile = ? AND term = ?")?;
    let mut known = Vec::new();
    for term in terms {
        let mut rows = statement.query(params![profile.0, term])?;
        if let Some(row) = rows.next()? {
            let documents: i64 = row.get(0)?;
            drop(rows);
            known.push((term, documents.unsigned_abs()));
        }
    }
    Ok(known)
}

#[derive(Debug, PartialEq)]
enum Chosen {
    Nothing,
    Terms(Vec<String>),
    /// The rarest there is.
    TooCommon(String),
}

/// The rarest terms that fit into the budget together, and no more than [`MOST_TERMS`]. What they leave out says least about a
/// document.
fn choose(mut terms: Vec<(String, u64)>) -> Chosen {
    // Stable: of two that are as rare, the one that comes first in the query.
    terms.sort_by_key(|(_, documents)| *documents);
    let mut left = BUDGET;
    let chosen: Vec<String> = terms
        .iter()
        .take(MOST_TERMS)
        .map_while(|(term, documents)| {
            left = left.checked_sub(*documents)?;
            Some(term.clone())
        })
        .collect();
    match terms.into_iter().next() {
        None => Chosen::Nothing,
        Some((rarest, _)) if chosen.is_empty() => Chosen::TooCommon(rarest),
        Some(_) => Chosen::Terms(chosen),
    }
}

/// Every document with one of the terms, and its score.
fn scored(connection: &Connection, profile: ProfileId, terms: &[String]) -> rusqlite::Result<Vec<(DocumentId, f64)>> {
    let index = profile.index();
    // Terms have no quotation marks.
    let quoted: Vec<String> = terms.iter().map(|term| format!("\"{term}\"")).collect();
    let mut statement = connection.prepare_cached(&format!(
        "SELECT rowid, -bm25({index}, {TITLE_WEIGHT:.1}, 1.0) FROM {index} WHERE {index} MATCH ?"
    ))?;
    let rows = statement.query_map([quoted.join(" OR ")], |row| Ok((DocumentId(row.get(0)?), row.get(1)?)))?;
    rows.collect()
}

/// The best `count`, and whatever ties with the last of them; in no order.
fn best(mut scored: Vec<(DocumentId, f64)>, count: usize) -> Vec<(DocumentId, f64)> {
    if count == 0 {
        return Vec::new();
    }
    if scored.len() > count {
        let (_, (_, least), _) = scored.select_nth_unstable_by(count - 1, |left, right| right.1.total_cmp(&left.1));
        let least = *least;
        scored.retain(|(_, score)| *score >= least);
    }
    scored
}

/// The documents with a term that were put in last.
fn newest(connection: &Connection, profile: ProfileId, term: &str) -> rusqlite::Result<Vec<(DocumentId, f64)>> {
    let index = profile.index();
    let mut statement = connection.prepare_cached(&format!(
        "SELECT rowid FROM {index} WHERE {index} MATCH ? ORDER BY rowid DESC LIMIT ?"
    ))?;
    let rows = statement.query_map(params![format!("\"{term}\""), BUDGET.cast_signed()], |row| {
        Ok((DocumentId(row.get(0)?), 0.0))
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarest_terms_are_taken_while_they_fit() {
        let terms = |known: &[(&str, u64)]| known.iter().map(|(term, count)| ((*term).to_owned(), *count)).collect();
        let taken = |texts: &[&str]| Chosen::Terms(texts.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(choose(terms(&[])), Chosen::Nothing);
        assert_eq!(choose(terms(&[("a", 9), ("b", 1)])), taken(&["b", "a"]));
        assert_eq!(choose(terms(&[("a", BUDGET), ("b", 1)])), taken(&["b"]));
        assert_eq!(
            choose(terms(&[("a", BUDGET + 2), ("b", BUDGET + 1)])),
            Chosen::TooCommon("b".into())
        );
        let many = (0..100).map(|index| (format!("t{index}"), 1)).collect();
        assert!(matches!(choose(many), Chosen::Terms(chosen) if chosen.len() == MOST_TERMS));
    }

    #[test]
    fn ties_at_the_end_are_kept_for_their_times_to_decide() {
        let scored = |scores: &[f64]| (0..).map(DocumentId).zip(scores.iter().copied()).collect::<Vec<_>>();
        assert_eq!(best(scored(&[1.0, 3.0, 2.0, 2.0, 2.0]), 2).len(), 4);
        assert_eq!(best(scored(&[1.0, 3.0, 2.0]), 2).len(), 2);
        assert_eq!(best(scored(&[1.0]), 2).len(), 1);
        assert!(best(scored(&[1.0]), 0).is_empty());
    }
}
