use proptest::prelude::*;

use super::*;

fn language(code: &str) -> Language {
    Language::from_code(code).unwrap()
}

fn terms(text: &str, code: &str) -> Vec<String> {
    indexed(text, Some(language(code)))
        .split(' ')
        .map(str::to_owned)
        .collect()
}

fn found(document: &str, query: &str, code: &str) -> bool {
    let document = terms(document, code);
    queried(query, &[language(code)])
        .iter()
        .any(|term| document.contains(term))
}

#[test]
fn singular_and_plural_meet() {
    for (code, one, many) in [
        ("eng", "invitation", "invitations"),
        ("eng", "berry", "berries"),
        ("deu", "Garten", "Gartens"),
        ("deu", "Haus", "Häuser"),
        ("fra", "cheval", "chevaux"),
        ("fra", "maison", "maisons"),
        ("spa", "canción", "canciones"),
        ("spa", "flor", "flores"),
        ("rus", "книга", "книги"),
        ("rus", "дом", "дома"),
    ] {
        assert_eq!(
            indexed(one, Some(language(code))),
            indexed(many, Some(language(code))),
            "{code}"
        );
        assert!(found(many, one, code) && found(one, many, code), "{code}");
    }
}

#[test]
fn accents_case_and_width_do_not_matter() {
    for code in ["eng", "fra", "deu", "spa", "ita", "por"] {
        assert!(found("Das CAFÉ dort", "cafe", code), "{code}");
        assert!(found("cafe", "Cafe\u{301}", code), "{code}");
    }
    assert_eq!(indexed("Café ＡＢＣ ﬁn co\u{AD}op", None), "cafe abc fin coop");
    assert_eq!(queried("İstanbul'da", &[language("tur")])[0], "istanbul");
}

#[test]
fn words_of_scripts_without_spaces_are_found_within() {
    assert!(found("我喜欢在图书馆看书", "图书馆", "cmn"));
    assert!(found("昨日は東京タワーに行きました", "東京タワー", "jpn"));
    assert!(found("한국어를 공부합니다", "한국어", "kor"));
    assert!(found("ฉันชอบอาหารไทย", "อาหาร", "tha"));
    assert_eq!(indexed("我 喜欢A的", None), "我 喜欢 a 的");
}

#[test]
fn apostrophes_are_taken_apart_where_two_words_meet() {
    assert_eq!(
        indexed("Anna's don’t l'eau she'll O'Neill qu'aujourd'hui dell'arte", None),
        "anna dont eau she oneill aujourdhui arte"
    );
    assert!(found("L’eau est froide", "eau", "fra"));
    assert!(found("Anna's recipe", "Anna", "eng"));
    assert_eq!(indexed("צה\"ל", None), "צהל");
}

#[test]
fn numbers_stay_and_compounds_are_parted() {
    assert_eq!(
        indexed(
            "1,000 1.000.000 3.14 24.12.2024 12:30 covid19 ada@example.com snake_case",
            None
        ),
        "1000 1000000 3 14 24 12 2024 12 30 covid19 ada example com snake case"
    );
}

#[test]
fn stop_words_go_unless_they_are_all() {
    assert_eq!(queried("the garden and the fence", &[]), ["garden", "fence"]);
    assert_eq!(queried("to be or not to be", &[]), ["to", "be", "or", "not"]);
    assert_eq!(queried("Don't we?", &[]), ["dont", "we"]);
    assert_eq!(
        queried("der Garten und die Rosen", &[language("deu")]),
        ["gart", "garten", "ros", "rosen"]
    );
    assert_eq!(queried("", &[]), Vec::<String>::new());
    assert_eq!(queried("?! — …", &[]), Vec::<String>::new());
}

#[test]
fn a_query_has_every_language_and_none() {
    let both = queried("Rosen, roses; Rosen", &[language("deu"), language("eng")]);
    assert_eq!(both, ["ros", "rosen", "rose", "roses"]);
}

#[test]
fn nothing_is_longer_than_the_most() {
    let long = "ß".repeat(100_000);
    for text in [long, "x".repeat(1 << 20), "e\u{301}".repeat(1000)] {
        let indexed = indexed(&text, Some(language("deu")));
        assert_eq!(indexed.chars().count(), MOST_CHARACTERS);
    }
}

const WRITTEN: &str =
    "[a-zA-Z'’éßüñøœıİα-ωЀ-ԯא-תء-ي\u{300}-\u{320}क-्ก-๎가-힣一-龥ぁ-ヿ0-9.,:_·\u{AD}\u{200D} \n\"-]{0,60}";

fn any_language() -> impl Strategy<Value = Language> {
    proptest::sample::select(whatlang::Lang::all()).prop_map(|lang| language(lang.code()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_index_splits_no_term(text in prop_oneof![WRITTEN, any::<String>()], language in proptest::option::of(any_language())) {
        let indexed = indexed(&text, language);
        let whole = |term: &str| {
            let fits = |character: char| !character.is_ascii() || character.is_ascii_alphanumeric();
            !term.is_empty() && term.chars().count() <= MOST_CHARACTERS && term.chars().all(fits)
        };
        prop_assert!(indexed.is_empty() || indexed.split(' ').all(whole));
        let languages: Vec<Language> = language.into_iter().collect();
        prop_assert!(queried(&text, &languages).iter().all(|term| whole(term)));
    }

    #[test]
    fn a_query_covers_the_documents_own_words(text in prop_oneof![WRITTEN, any::<String>()], language in any_language()) {
        let asked = queried(&text, &[language]);
        let told: String = words::of(&text)
            .filter(|word| !stop::is_stop_word(word, &[language]))
            .filter_map(|word| term(&word, Some(language)))
            .map(|term| term + " ")
            .collect();
        prop_assert!(told.split_whitespace().all(|term| asked.iter().any(|asked| asked == term)));
        // Where every word is a stop word, they are all looked for.
        if told.is_empty() {
            let all = indexed(&text, Some(language));
            prop_assert!(all.split(' ').filter(|term| !term.is_empty()).all(|term| asked.iter().any(|asked| asked == term)));
        }
    }

    #[test]
    fn the_same_text_has_the_same_terms_once(text in WRITTEN, language in any_language()) {
        prop_assert_eq!(indexed(&text, Some(language)), indexed(&text, Some(language)));
        let asked = queried(&text, &[language]);
        prop_assert_eq!(&asked, &queried(&text, &[language]));
        let distinct: HashSet<&String> = asked.iter().collect();
        prop_assert_eq!(distinct.len(), asked.len());
    }
}
