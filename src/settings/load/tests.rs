use super::*;
use crate::decode::Lookahead;
use crate::steering::Cap;

fn file(text: &str) -> Result<Settings, SettingsError> {
    let path = std::env::temp_dir().join(format!("costeer-{}.toml", uuid::Uuid::new_v4().simple()));
    std::fs::write(&path, text).unwrap();
    let settings = load(Some(&path), Variables::Ignore, &[]);
    std::fs::remove_file(&path).unwrap();
    settings
}

#[test]
fn the_defaults_are_complete_and_valid() {
    let settings = load(None, Variables::Ignore, &[]).unwrap();
    assert_eq!(settings.steering.default_strength().unwrap().value(), 1.0);
}

#[test]
fn the_papers_numbers_are_one_setting() {
    let strength = |text: &str| file(text).ok().unwrap().steering.default_strength().unwrap().value();
    assert!((strength("[steering]\npreset = \"paper\"\n") - 1.783_256_843).abs() < 1e-9);
    // Those that are not set are the paper's.
    assert!((strength("[steering]\niterations = 20\n") - 1.783_256_843).abs() < 1e-9);
    assert!((strength("[steering]\npreset = \"paper\"\niterations = 1\n") - 0.476_190_476).abs() < 1e-9);
    assert_eq!(strength("[steering]\npreset = \"\"\nstrength = 0.5\n"), 0.5);
    let error = file("[steering]\npreset = \"papers\"\n").err().unwrap().to_string();
    assert!(error.contains("papers"), "{error}");
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_valid_one() {
    let error = file("[steering]\nstrenght = 1.0\n").err().unwrap().to_string();
    assert!(error.contains("steering.strenght"), "{error}");
    assert!(error.contains("did you mean steering.strength?"), "{error}");
}

#[test]
fn a_file_that_is_no_toml_is_located_and_not_quoted() {
    for (text, place) in [
        ("[context]\ntext = \"I am Wilhelmina\nfile = \"\"\n", "line 2"),
        (
            "[store]\nkey = secret-Wilhelmina\n",
            "line 2, column 7 on, at the key key",
        ),
        ("[context]\ntext = \"a\"\ntext = \"Wilhelmina\"\n", "line 3"),
        ("I am Wilhelmina", "line 1"),
    ] {
        let error = file(text).err().unwrap().to_string();
        assert!(
            error.contains(place) && !error.contains("Wilhelmina") && !error.contains('\n'),
            "{error}"
        );
    }
}

#[test]
fn strength_and_the_five_numbers_exclude_each_other() {
    assert!(file("[steering]\nstrength = 1.0\n").is_ok());
    assert!(file("[steering]\nalpha = 1.0\n").is_ok());
    let error = file("[steering]\nstrength = 1.0\nalpha = 1.0\n")
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("steering.alpha"), "{error}");
    let error = file("[steering]\nstrength = 1.0\npreset = \"paper\"\n").err().unwrap();
    assert!(error.to_string().contains("steering.preset"), "{error}");
}

#[test]
fn values_out_of_range_are_named() {
    for (text, key) in [
        ("[local]\nlanes = 0\n", "local.slots"),
        ("[upstream]\nurl = \"localhost\"\n", "upstream.url"),
        ("[upstream]\nurl = []\n", "upstream.url"),
        ("[upstream]\nurl = \"http://127.0.0.1:8089/v1\"\n", "upstream.url"),
        ("[upstream]\nurl = \"http://me:secret@a/v1\"\n", "upstream.url"),
        ("[upstream]\nurl = [\"http://a/v1\", \"b\"]\n", "upstream.url"),
        ("[upstream]\nurl = \"http://a/v1, http://a/v1/\"\n", "upstream.url"),
        ("[upstream]\naffinity_header = \"x y\"\n", "upstream.affinity_header"),
        (
            "[upstream]\naffinity_header = \"Authorization\"\n",
            "upstream.affinity_header",
        ),
        ("[upstream]\nretries = 100\n", "upstream.retries"),
        ("[upstream]\npass_headers = [\"Host\"]\n", "upstream.pass_headers"),
        ("[upstream]\npass_headers = \"x-co-steer\"\n", "upstream.pass_headers"),
        ("[server]\nhosts = \"http://a\"\n", "server.hosts"),
        ("[steering]\nmax_answers = 0\n", "steering.max_answers"),
        ("[steering]\nstrength = 1000\n", "steering.strength"),
        ("[steering]\ndelta_floor = -1\n", "steering.delta_floor"),
        ("[steering]\nmax_shift = -0.5\n", "steering.max_shift"),
        ("[steering]\nmax_shift = 100.1\n", "steering.max_shift"),
        ("[steering]\nmax_shift = nan\n", "steering.max_shift"),
        ("[steering]\nbypass_positions = 0\n", "steering.bypass_positions"),
        ("[steering]\nforced_stop = 1.5\n", "steering.forced_stop"),
        ("[steering]\nbypass_threshold = 1.5\n", "steering.bypass_threshold"),
        ("[upstream]\nlookahead = 0\n", "upstream.lookahead"),
        ("[upstream]\nlookahead = 100000000\n", "upstream.lookahead"),
        ("[upstream]\nmax_lookahead = 0\n", "upstream.max_lookahead"),
        ("[upstream]\nmax_waste = -0.1\n", "upstream.max_waste"),
        ("[context]\ntext = \"a\"\nfile = \"b\"\n", "context.text"),
        ("[context]\ntext = \"a\"\nprofile = \"b\"\n", "context.text"),
        ("[context]\nprofile = \"b/c\"\n", "context.profile"),
        ("[context]\nhistory = 1000\n", "context.history"),
        ("[context]\nbudget = 0\n", "context.budget"),
        ("[context]\ndocument_tokens = 0\n", "context.document_tokens"),
        ("[context]\ntemplate = \"{% if %}\"\n", "context.template"),
        ("[context]\ntemplate = \"{{ contxt }}\"\n", "context.template"),
        ("[store]\nkey = \"a\"\nkey_file = \"b\"\n", "store.key"),
    ] {
        let error = file(text).err().unwrap().to_string();
        assert!(error.starts_with(key), "{error}");
    }
}

#[test]
fn values_of_the_wrong_kind_are_named() {
    for (text, part) in [
        ("[upstream]\nlookahead = -4\n", "-4"),
        ("[upstream]\nlookahead = \"much\"\n", "\"much\" is neither"),
        ("[upstream]\nmax_lookahead = -1\n", "max_lookahead"),
        ("[upstream]\ndriver = \"telepathy\"\n", "telepathy"),
        ("[steering]\nbypass = \"ajar\"\n", "ajar"),
        ("[vocabulary]\nalignment = \"tokens\"\n", "tokens"),
        ("[steering]\nexactness = \"exact\"\n", "exact"),
    ] {
        let error = file(text).err().unwrap().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn lookahead_is_a_number_or_a_word() {
    let lookahead = |value: &str| {
        let settings = load(None, Variables::Ignore, &[("upstream.lookahead", value.into())]);
        settings.unwrap().upstream.lookahead()
    };
    assert_eq!(lookahead("4"), Lookahead::Fixed(4));
    let written = file("[upstream]\nlookahead = 16\n").unwrap();
    assert_eq!(written.upstream.lookahead(), Lookahead::Fixed(16));
    assert!(matches!(lookahead("adaptive"), Lookahead::Adaptive { .. }));
}

#[test]
fn a_cap_is_none_unless_it_is_set() {
    let cap = |text: &str| Cap::new(file(text).unwrap().steering.max_shift);
    assert_eq!(cap(""), None);
    assert_eq!(cap("[steering]\nmax_shift = 0\n"), None);
    assert_eq!(cap("[steering]\nmax_shift = 100\n"), Cap::new(Cap::LIMIT));
}

#[test]
fn addresses_are_one_or_many_as_list_or_as_text() {
    let expected = ["http://a/v1", "https://b:1/x/v1"];
    let list = file("[upstream]\nurl = [\"http://a/v1\", \"https://b:1/x/v1/\"]\n").unwrap();
    assert_eq!(list.upstream.urls, expected);
    let text = load(
        None,
        Variables::Ignore,
        &[("upstream.url", "http://a/v1/, https://b:1/x/v1".into())],
    );
    assert_eq!(text.unwrap().upstream.urls, expected);
}

#[test]
fn overrides_win() {
    let settings = load(None, Variables::Ignore, &[("server.listen", "127.0.0.1:1".into())]).unwrap();
    assert_eq!(settings.server.listen.port(), 1);
}
