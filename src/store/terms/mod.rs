//! Search terms: what a full-text index keeps of a text, and what is looked up in it.
//!
//! The terms are made for an FTS5 table with `tokenize='ascii'`, which does nothing but split at ASCII characters that
//! are no letters or digits. All that makes words meet (case, accents, endings, writing without spaces) happens here.

mod fold;
mod language;
mod stop;
mod words;

use std::borrow::Cow;
use std::collections::HashSet;

pub use language::Language;
use words::Word;

/// The longest term, in characters. What is longer is no word of a language; its beginning still finds it.
const MOST_CHARACTERS: usize = 64;

/// The terms of a document in order, one space between them. `language` says whose endings its words have; where that is
/// unknown they stay as they are.
pub fn indexed(text: &str, language: Option<Language>) -> String {
    let mut joined = String::with_capacity(text.len());
    for term in words::of(text).filter_map(|word| term(&word, language)) {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(&term);
    }
    joined
}

/// The distinct terms that find what `text` speaks of, in order of first appearance: every word as documents in each of
/// `languages` have it, with accents or without, and as documents of an unknown language have it. Stop words of
/// `languages`, or of English where there are none, are left out unless nothing else is in the text.
pub fn queried(text: &str, languages: &[Language]) -> Vec<String> {
    let stopping = if languages.is_empty() {
        &[Language::ENGLISH]
    } else {
        languages
    };
    let words: Vec<Word> = words::of(text).collect();
    let mut seen = HashSet::new();
    let distinct: Vec<&Word> = words.iter().filter(|word| seen.insert(*word)).collect();
    let told = distinct
        .iter()
        .copied()
        .filter(|word| !stop::is_stop_word(word, stopping));
    let told = every_way(told, languages);
    if told.is_empty() {
        every_way(distinct.into_iter(), languages)
    } else {
        told
    }
}

fn every_way<'w>(words: impl Iterator<Item = &'w Word>, languages: &[Language]) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut terms = Vec::new();
    for word in words {
        // A document may have been written in a hurry: endings are also those of the word without its accents.
        let hurried = word.without_accents();
        let ways = languages.iter().copied().map(Some).chain([None]);
        let found = ways.flat_map(|language| [Some(word), hurried.as_ref()].map(|word| term(word?, language)));
        terms.extend(found.flatten().filter(|term| seen.insert(term.clone())));
    }
    terms
}

/// What the index has for `word`, if anything.
fn term(word: &Word, language: Option<Language>) -> Option<String> {
    let folded = match word {
        Word::Gram(characters) => Cow::from(characters),
        Word::Spaced(written) => {
            let bare = words::bare(written, language);
            // Cut first: no stemmer should work through a megabyte without a space.
            let bare = cut(&bare);
            let stem = language.map_or(Cow::from(bare), |language| language.stem(bare));
            Cow::from(fold::fold(&stem).into_owned())
        }
    };
    // Whatever a stemmer does, nothing may come of it that the index would split.
    let kept = folded
        .chars()
        .filter(|character| !character.is_ascii() || character.is_ascii_alphanumeric());
    let term: String = kept.take(MOST_CHARACTERS).collect();
    (!term.is_empty()).then_some(term)
}

fn cut(word: &str) -> &str {
    let end = word.char_indices().nth(MOST_CHARACTERS).map(|(at, _)| at);
    end.and_then(|end| word.get(..end)).unwrap_or(word)
}

#[cfg(test)]
mod tests;
