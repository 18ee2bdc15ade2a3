use std::collections::{HashMap, HashSet};
use std::sync::{LazyLock, OnceLock};

use super::Language;
use super::words::{self, Word};

/// The stop words of every language asked for so far, as [`words::plain`] writes them.
static LISTS: LazyLock<HashMap<&'static str, OnceLock<HashSet<String>>>> = LazyLock::new(|| {
    let codes = whatlang::Lang::all()
        .iter()
        .filter_map(|lang| Language::from_code(lang.code())?.stop_words_code());
    codes.map(|code| (code, OnceLock::new())).collect()
});

/// Whether `word` says nothing about what a text is about, in any of `languages`.
pub fn is_stop_word(word: &Word, languages: &[Language]) -> bool {
    languages.iter().any(|language| {
        let list = language
            .stop_words_code()
            .and_then(|code| Some((code, LISTS.get(code)?)));
        list.is_some_and(|(code, list)| {
            let list = list.get_or_init(|| stop_words::get(code).iter().map(|word| words::plain(word)).collect());
            match word {
                Word::Gram(characters) => list.contains(characters),
                Word::Spaced(written) => {
                    list.contains(written) || list.contains(words::bare(written, Some(*language)).as_ref())
                }
            }
        })
    })
}
