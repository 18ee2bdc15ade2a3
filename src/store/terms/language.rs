use std::borrow::Cow;

use rust_stemmers::{Algorithm, Stemmer};
use whatlang::Lang;

/// A natural language that can be recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Language(Lang);

impl Language {
    /// English.
    pub const ENGLISH: Self = Self(Lang::Eng);

    /// How much of a text is looked at, in characters. More makes nothing surer.
    const SAMPLE_CHARACTERS: usize = 2000;

    /// The language of `text`; `None` where it cannot be told reliably, as from a few words.
    pub fn of(text: &str) -> Option<Self> {
        let end = text.char_indices().nth(Self::SAMPLE_CHARACTERS).map(|(at, _)| at);
        let sample = end.and_then(|end| text.get(..end)).unwrap_or(text);
        let found = whatlang::detect(sample)?;
        found.is_reliable().then(|| Self(found.lang()))
    }

    /// The language with this ISO 639-3 code, where it can be recognised.
    pub fn from_code(code: &str) -> Option<Self> {
        Lang::from_code(code).map(Self)
    }

    /// Its ISO 639-3 code.
    pub fn code(&self) -> &'static str {
        self.0.code()
    }

    /// `word`, in lower case, without the endings of the language; unchanged where nothing is known about them.
    pub(super) fn stem(self, word: &str) -> Cow<'_, str> {
        // A number has no endings, and a stemmer would take letters off identifiers.
        let algorithm = self.stemmer().filter(|_| !word.contains(char::is_numeric));
        let stem = algorithm.map_or(Cow::from(word), |algorithm| Stemmer::create(algorithm).stem(word));
        if stem.is_empty() { word.into() } else { stem }
    }

    /// Whether an apostrophe stands between a name and its endings, as in "İstanbul'da".
    pub(super) fn parts_endings(self) -> bool {
        matches!(self.0, Lang::Tur | Lang::Aze)
    }

    fn stemmer(self) -> Option<Algorithm> {
        Some(match self.0 {
            Lang::Ara => Algorithm::Arabic,
            Lang::Dan => Algorithm::Danish,
            Lang::Deu => Algorithm::German,
            Lang::Ell => Algorithm::Greek,
            Lang::Eng => Algorithm::English,
            Lang::Fin => Algorithm::Finnish,
            Lang::Fra => Algorithm::French,
            Lang::Hun => Algorithm::Hungarian,
            Lang::Ita => Algorithm::Italian,
            Lang::Nld => Algorithm::Dutch,
            Lang::Nob => Algorithm::Norwegian,
            Lang::Por => Algorithm::Portuguese,
            Lang::Ron => Algorithm::Romanian,
            Lang::Rus => Algorithm::Russian,
            Lang::Spa => Algorithm::Spanish,
            Lang::Swe => Algorithm::Swedish,
            Lang::Tam => Algorithm::Tamil,
            Lang::Tur => Algorithm::Turkish,
            _ => return None,
        })
    }

    /// What the crate of stop words calls the language; `None` where it has no list.
    pub(super) fn stop_words_code(self) -> Option<&'static str> {
        Some(match self.0 {
            Lang::Afr => "af",
            Lang::Ara => "ar",
            Lang::Ben => "bn",
            Lang::Bul => "bg",
            Lang::Cat => "ca",
            Lang::Ces => "cs",
            Lang::Cmn => "zh",
            Lang::Dan => "da",
            Lang::Deu => "de",
            Lang::Ell => "el",
            Lang::Eng => "en",
            Lang::Epo => "eo",
            Lang::Est => "et",
            Lang::Fin => "fi",
            Lang::Fra => "fr",
            Lang::Guj => "gu",
            Lang::Heb => "he",
            Lang::Hin => "hi",
            Lang::Hrv => "hr",
            Lang::Hun => "hu",
            Lang::Hye => "hy",
            Lang::Ind => "id",
            Lang::Ita => "it",
            Lang::Jpn => "ja",
            Lang::Kor => "ko",
            Lang::Lat => "la",
            Lang::Lav => "lv",
            Lang::Lit => "lt",
            Lang::Mar => "mr",
            Lang::Nld => "nl",
            Lang::Nob => "no",
            Lang::Pes => "fa",
            Lang::Pol => "pl",
            Lang::Por => "pt",
            Lang::Ron => "ro",
            Lang::Rus => "ru",
            Lang::Slk => "sk",
            Lang::Slv => "sl",
            Lang::Spa => "es",
            Lang::Swe => "sv",
            Lang::Tgl => "tl",
            Lang::Tha => "th",
            Lang::Tur => "tr",
            Lang::Ukr => "uk",
            Lang::Urd => "ur",
            Lang::Vie => "vi",
            Lang::Zul => "zu",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_told_from_enough_text_only() {
        let german = "Gestern habe ich mit meiner Schwester über den Garten gesprochen, und wir wollen im Frühjahr Bäume pflanzen.";
        assert_eq!(Language::of(german).map(|language| language.code()), Some("deu"));
        assert_eq!(Language::of("ok"), None);
        assert_eq!(Language::of(""), None);
    }

    #[test]
    fn codes_lead_back_and_every_list_exists() {
        for lang in Lang::all() {
            let language = Language(*lang);
            assert_eq!(Language::from_code(language.code()), Some(language));
            // The crate panics at a code it does not know.
            assert!(
                language
                    .stop_words_code()
                    .is_none_or(|code| !stop_words::get(code).is_empty())
            );
        }
        assert_eq!(Language::from_code("xx"), None);
    }
}
