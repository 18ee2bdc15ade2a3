//! The store through its own file: what goes in comes out, what is deleted is gone, and nobody waits for nothing.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use costeer::store::{
    Document, DocumentId, Imported, KeySource, PrivateText, Profile, ProfileName, Store, StoreError, recode,
};

use crate::support::Folder;

fn name(text: &str) -> ProfileName {
    ProfileName::new(text).unwrap()
}

fn document(title: &str, text: &str) -> Document {
    Document {
        title: title.into(),
        text: text.into(),
        ..Document::default()
    }
}

fn at(time: &str, text: &str) -> Document {
    Document {
        time: Some(time.parse().unwrap()),
        ..document("", text)
    }
}

fn open(path: &Path) -> Store {
    Store::open(path, &KeySource::None).unwrap()
}

fn in_folder() -> (Folder, PathBuf) {
    let folder = Folder::new();
    let path = folder.path().join("own/profiles.db");
    (folder, path)
}

fn given(key: &str) -> KeySource {
    KeySource::Given(key.to_owned().into())
}

/// The files of the store that hold `needle`.
fn holding(path: &Path, needle: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap().to_ascii_lowercase();
        if bytes.windows(needle.len()).any(|window| window == needle.as_bytes()) {
            found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    found
}

fn texts(hits: &[costeer::store::Hit]) -> Vec<&str> {
    hits.iter()
        .map(|hit| hit.stored.document.text.as_private_str())
        .collect()
}

#[test]
#[cfg(unix)]
fn the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = in_folder();
    let store = open(&path);
    store.create_profile(&name("ada"), &Profile::default()).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[test]
fn what_is_put_in_comes_out() {
    let (_folder, path) = in_folder();
    let profile = Profile {
        description: "Ada, who cooks".into(),
        preferences: vec!["Be brief.".into(), "Ohne ß nicht.".into()],
        facts: vec!["I am vegan.".into(), "z".into(), "a".into()],
    };
    let note = Document {
        key: "notes/1.md".into(),
        time: Some("2024-02-29T12:00:00.123456Z".parse().unwrap()),
        source: "notes".into(),
        tags: vec!["food".into(), "\"quoted\"".into()],
        ..document("A title", "A text\nof two lines")
    };
    {
        let store = open(&path);
        store.create_profile(&name("ada"), &profile).unwrap();
        let again = store.create_profile(&name("ada"), &profile);
        assert!(matches!(again, Err(StoreError::ProfileExists(_))));
        store.import(&name("ada"), std::slice::from_ref(&note)).unwrap();
    }
    let store = open(&path);
    assert!(store.profile(&name("ada")).unwrap() == profile);
    let documents = store.documents(&name("ada"), DocumentId(0), 10).unwrap();
    assert!(documents.len() == 1 && documents[0].document == note);
    assert!(store.document(&name("ada"), documents[0].id).unwrap().document == note);
    let list = store.profiles().unwrap();
    assert_eq!((list[0].preferences, list[0].facts, list[0].documents), (2, 3, 1));
    let changed = store
        .edit_profile(&name("ada"), |profile| {
            profile.facts.remove(0);
            Ok::<_, StoreError>(())
        })
        .unwrap();
    assert!(store.profile(&name("ada")).unwrap() == changed && changed.facts.len() == 2);
    assert!(matches!(store.profile(&name("bob")), Err(StoreError::NoSuchProfile(_))));
    assert!(matches!(
        store.document(&name("ada"), DocumentId(99)),
        Err(StoreError::NoSuchDocument(99))
    ));
    let census = store.check().unwrap();
    assert_eq!((census.profiles, census.documents, census.encrypted), (1, 1, false));
}

#[test]
fn importing_the_same_again_changes_nothing() {
    let (_folder, path) = in_folder();
    let store = open(&path);
    store.create_profile(&name("ada"), &Profile::default()).unwrap();
    let keyed = |text: &str| Document {
        key: "k".into(),
        ..document("t", text)
    };
    let first = [document("a", "apples"), document("b", "pears"), keyed("plums")];
    let count = |added, updated, unchanged| Imported {
        added,
        updated,
        unchanged,
    };
    assert_eq!(store.import(&name("ada"), &first).unwrap(), count(3, 0, 0));
    assert_eq!(store.import(&name("ada"), &first).unwrap(), count(0, 0, 3));
    let before = store.documents(&name("ada"), DocumentId(0), 10).unwrap();
    assert_eq!(
        store.import(&name("ada"), &[keyed("cherries")]).unwrap(),
        count(0, 1, 0)
    );
    let after = store.documents(&name("ada"), DocumentId(0), 10).unwrap();
    assert!(after.len() == 3 && after[2].id == before[2].id && after[2].document == keyed("cherries"));
    assert!(store.search(&name("ada"), "plums", 5).unwrap().is_empty());
    assert_eq!(texts(&store.search(&name("ada"), "cherries", 5).unwrap()), ["cherries"]);
    store.check().unwrap();
    // All or none.
    let huge = document("", &"x ".repeat(Document::MOST_TEXT_BYTES));
    let refused = store.import(&name("ada"), &[document("c", "figs"), huge]);
    assert!(matches!(refused, Err(StoreError::TooLarge { .. })));
    assert_eq!(store.documents(&name("ada"), DocumentId(0), 10).unwrap().len(), 3);
}

#[test]
fn a_question_finds_what_it_is_about() {
    let (_folder, path) = in_folder();
    let store = open(&path);
    store.create_profile(&name("ada"), &Profile::default()).unwrap();
    store.create_profile(&name("bob"), &Profile::default()).unwrap();
    store
        .import(&name("bob"), &[document("", "Biscuit the dog of Bob")])
        .unwrap();
    let ada = [
        document("Dog", "Biscuit is a terrier who sleeps all day."),
        document("", "We walked along the river with the dogs."),
        document("", "The recipe needs two cafés and a stove."),
        document(
            "",
            "Der Hund schläft in der Küche, und die Hunde des Nachbarn bellen die ganze Nacht lang.",
        ),
        document("", "我的狗喜歡在公園裡玩,每天早上我們都去散步。"),
        document("Taxes", "File the return before May."),
    ];
    store.import(&name("ada"), &ada).unwrap();
    let found = |query: &str| {
        let hits = store.search(&name("ada"), query, 5).unwrap();
        texts(&hits)
            .into_iter()
            .map(|text| text.chars().take(12).collect::<String>())
            .collect::<Vec<_>>()
    };
    // Titles count more, plurals meet, stop words find nothing of their own.
    assert_eq!(
        found("What should I do with the dog?"),
        ["Biscuit is a", "We walked al"]
    );
    assert_eq!(found("cafe"), ["The recipe n"]);
    assert_eq!(found("Hunde"), ["Der Hund sch"]);
    assert_eq!(found("公園"), ["我的狗喜歡在公園裡玩,每"]);
    assert_eq!(found("taxes"), ["File the ret"]);
    assert!(found("zebra").is_empty() && found("").is_empty() && found("\"(*) AND NOT NEAR:^-").is_empty());
    let paragraph = "I have been thinking for a long time about my tax return. ".repeat(200);
    assert_eq!(found(&paragraph)[0], "File the ret");
    assert_eq!(store.search(&name("ada"), "dog", 1).unwrap().len(), 1);
    assert!(store.search(&name("ada"), "dog", 0).unwrap().is_empty());
}

#[test]
fn of_equal_documents_the_latest_comes_first() {
    let (_folder, path) = in_folder();
    let store = open(&path);
    store.create_profile(&name("ada"), &Profile::default()).unwrap();
    let same = ["2021-01-01T00:00:00Z", "2024-01-01T00:00:00Z", "2022-01-01T00:00:00Z"];
    store
        .import(&name("ada"), &same.map(|time| at(time, "the same words")))
        .unwrap();
    store.import(&name("ada"), &[document("", "the same words")]).unwrap();
    let times = |count| {
        let hits = store.search(&name("ada"), "same words", count).unwrap();
        hits.iter()
            .map(|hit| hit.stored.document.time.map(|time| time.to_string()))
            .collect::<Vec<_>>()
    };
    let expected = [1, 2, 0].map(|index| Some(same[index].to_owned()));
    assert_eq!(times(3), expected);
    assert_eq!(times(9)[3], None);
    assert_eq!(times(1), expected[..1]);
}

#[test]
fn what_is_deleted_is_in_no_file_any_more() {
    let (_folder, path) = in_folder();
    let store = open(&path);
    let needle = |index: usize| format!("zyx{index}wvu");
    let filler = (0..300).map(|index| document("", &format!("filler number {index} {}", "word ".repeat(50))));
    let filler: Vec<Document> = filler.collect();
    for who in ["ada", "bob"] {
        let profile = Profile {
            description: format!("about {who} {}", needle(1)).as_str().into(),
            preferences: vec![],
            facts: vec![format!("fact of {who} {}", needle(2)).as_str().into(), "stays".into()],
        };
        store.create_profile(&name(who), &profile).unwrap();
        store.import(&name(who), &filler).unwrap();
        let tagged = Document {
            key: "k".into(),
            source: needle(3).as_str().into(),
            tags: vec![needle(4).as_str().into()],
            ..document(&needle(5), &format!("{} {}", needle(6), "long ".repeat(4000)))
        };
        store.import(&name(who), &[tagged]).unwrap();
    }
    for index in 1..=6 {
        assert!(
            !holding(&path, &needle(index)).is_empty(),
            "{index} must be there at first"
        );
    }
    store.delete_profile(&name("bob")).unwrap();
    let documents = store.documents(&name("ada"), DocumentId(0), 1000).unwrap();
    let id = documents
        .iter()
        .find(|stored| stored.document.key == PrivateText::from("k"))
        .unwrap()
        .id;
    store
        .import(
            &name("ada"),
            &[Document {
                key: "k".into(),
                ..document("new", "text")
            }],
        )
        .unwrap();
    for index in 3..=6 {
        assert_eq!(
            holding(&path, &needle(index)),
            [""; 0],
            "{index} is there after the document was replaced"
        );
    }
    store.delete_document(&name("ada"), id).unwrap();
    let edit = |profile: &mut Profile| {
        profile.facts.remove(0);
        profile.description = PrivateText::default();
        Ok::<_, StoreError>(())
    };
    store.edit_profile(&name("ada"), edit).unwrap();
    for index in 1..=6 {
        assert_eq!(holding(&path, &needle(index)), [""; 0], "{index} is still there");
    }
    assert!(!holding(&path, "stays").is_empty());
    store.check().unwrap();
}

#[test]
fn with_a_key_the_file_says_nothing() {
    let (_folder, path) = in_folder();
    let secret = "My blood group is zero";
    let raw = "0123456789abcdef".repeat(4);
    for key in ["a passphrase with 'quotes' and ß", raw.as_str()] {
        let _gone = std::fs::remove_dir_all(path.parent().unwrap());
        {
            let store = Store::open(&path, &given(key)).unwrap();
            let facts = Profile {
                facts: vec![secret.into()],
                ..Profile::default()
            };
            store.create_profile(&name("ada"), &facts).unwrap();
            store.import(&name("ada"), &[document("", secret)]).unwrap();
            assert_eq!(store.search(&name("ada"), "blood", 5).unwrap().len(), 1);
            assert_eq!(holding(&path, "blood"), [""; 0]);
            assert!(store.check().unwrap().encrypted);
        }
        assert_eq!(holding(&path, "blood"), [""; 0]);
        assert!(matches!(
            Store::open(&path, &KeySource::None),
            Err(StoreError::NeedsKey { .. })
        ));
        assert!(matches!(
            Store::open(&path, &given("another")),
            Err(StoreError::WrongKey { .. })
        ));
        let store = Store::open(&path, &given(key)).unwrap();
        assert!(store.profile(&name("ada")).unwrap().facts == [secret.into()]);
    }
}

#[test]
fn a_store_can_be_encrypted_and_decrypted_when_nobody_uses_it() {
    let (_folder, path) = in_folder();
    let store = open(&path);
    store
        .create_profile(
            &name("ada"),
            &Profile {
                facts: vec!["blood group".into()],
                ..Profile::default()
            },
        )
        .unwrap();
    store.import(&name("ada"), &[document("blood", "blood")]).unwrap();
    assert!(matches!(
        Store::open(&path, &given("k")),
        Err(StoreError::NotEncrypted { .. })
    ));
    let busy = recode(&path, &KeySource::None, &given("k"));
    assert!(matches!(busy, Err(StoreError::InUse { .. })), "{:?}", busy.err());
    drop(store);
    recode(&path, &KeySource::None, &given("k")).unwrap();
    assert_eq!(holding(&path, "blood"), [""; 0]);
    let store = Store::open(&path, &given("k")).unwrap();
    assert_eq!(store.search(&name("ada"), "blood", 5).unwrap().len(), 1);
    store.import(&name("ada"), &[document("more", "after")]).unwrap();
    assert_eq!(store.check().unwrap().documents, 2);
    drop(store);
    recode(&path, &given("k"), &KeySource::None).unwrap();
    assert_eq!(open(&path).check().unwrap().documents, 2);
}

#[test]
fn a_key_can_be_in_a_file() {
    let (folder, path) = in_folder();
    let key = PathBuf::from(folder.file("key"));
    let source = KeySource::File(key.clone());
    let error = Store::open(&path, &source).err().unwrap().to_string();
    assert!(error.contains("store.key_file") && error.contains("key\""), "{error}");
    std::fs::write(&key, "\n").unwrap();
    assert!(Store::open(&path, &source).err().unwrap().to_string().contains("empty"));
    std::fs::write(&key, "correct horse\n").unwrap();
    Store::open(&path, &source)
        .unwrap()
        .create_profile(&name("ada"), &Profile::default())
        .unwrap();
    assert!(
        Store::open(&path, &given("correct horse"))
            .unwrap()
            .has_profile(&name("ada"))
            .unwrap()
    );
}

#[test]
fn files_that_are_no_store_are_refused() {
    let (folder, path) = in_folder();
    let other = PathBuf::from(folder.file("other.db"));
    std::fs::write(&other, "just some text that is longer than a header would be").unwrap();
    assert!(matches!(
        Store::open(&other, &KeySource::None),
        Err(StoreError::NeedsKey { .. })
    ));
    assert!(matches!(
        Store::open(&other, &given("k")),
        Err(StoreError::WrongKey { .. })
    ));
    assert!(matches!(
        Store::open(folder.path(), &KeySource::None),
        Err(StoreError::Sqlite { .. })
    ));
    let within = PathBuf::from(folder.file("other.db")).join("x/profiles.db");
    assert!(matches!(
        Store::open(&within, &KeySource::None),
        Err(StoreError::File { .. })
    ));
    drop(open(&path));
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(
        Store::open(&path, &KeySource::None),
        Err(StoreError::Newer { found: 99, .. })
    ));
}

#[test]
fn nothing_written_while_a_store_is_encrypted_is_lost() {
    let (_folder, path) = in_folder();
    let name = ProfileName::new("ada").unwrap();
    open(&path).create_profile(&name, &Profile::default()).unwrap();
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Each opens the store anew, with the key or without, as commands do.
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                let (path, name, over) = (&path, &name, &over);
                scope.spawn(move || {
                    let mut written = 0;
                    while !over.load(std::sync::atomic::Ordering::Relaxed) {
                        let begun = std::time::Instant::now();
                        let opened = Store::open(path, &KeySource::None).or_else(|_| Store::open(path, &given("k")));
                        // Between the two tries the store may have changed.
                        let Ok(store) = opened else { continue };
                        let document = Document {
                            key: format!("{writer}-{written}").into(),
                            text: "Soup.".into(),
                            ..Document::default()
                        };
                        store.import(name, &[document]).unwrap();
                        written += 1;
                        drop(store);
                        // The store can only be replaced while nobody has it open, however long opening takes on a busy machine.
                        std::thread::sleep(3 * begun.elapsed());
                    }
                    written
                })
            })
            .collect();
        let mut changed = 0;
        let (mut from, mut to) = (KeySource::None, given("k"));
        while changed < 6 {
            match recode(&path, &from, &to) {
                Ok(()) => {
                    std::mem::swap(&mut from, &mut to);
                    changed += 1;
                }
                Err(StoreError::InUse { .. }) => std::thread::sleep(std::time::Duration::from_millis(1)),
                Err(error) => panic!("{error}"),
            }
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        let written: usize = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
        let census = Store::open(&path, &from).unwrap().check().unwrap();
        assert_eq!(census.documents, written as u64);
        assert!(written > 0);
    });
}

#[test]
fn notes_of_an_older_store_are_recognised() {
    let (_folder, path) = in_folder();
    let name = ProfileName::new("ada").unwrap();
    let note = |key: &str| Document {
        key: key.into(),
        text: "Soup.".into(),
        ..Document::default()
    };
    let store = open(&path);
    store.create_profile(&name, &Profile::default()).unwrap();
    store
        .import(&name, &[note("notes/soup.md"), note("7"), note("a/8")])
        .unwrap();
    drop(store);
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute_batch("DROP INDEX documents_by_copy; ALTER TABLE documents DROP COLUMN copy; PRAGMA user_version = 1")
        .unwrap();
    drop(raw);
    let store = open(&path);
    let imported = store
        .import(
            &name,
            &[note("file:/home/ada/notes/soup.md"), note("file:/home/ada/other.md")],
        )
        .unwrap();
    assert_eq!((imported.added, imported.unchanged), (1, 1));
    assert_eq!(store.check().unwrap().documents, 4);
    // From now on it is known by its place, and so are records by their file.
    let edited = Document {
        text: "Soup with leek.".into(),
        ..note("file:/home/ada/notes/soup.md")
    };
    let records = ["file:/home/ada/all.jsonl#7", "file:/home/ada/all.jsonl#a%2F8"].map(note);
    let imported = store
        .import(&name, &[std::slice::from_ref(&edited), &records[..]].concat())
        .unwrap();
    assert_eq!((imported.updated, imported.unchanged), (1, 2));
    let imported = store
        .import(&name, &[edited, note("file:/home/ada/more.jsonl#7")])
        .unwrap();
    assert_eq!((imported.added, imported.unchanged), (1, 1));
    assert_eq!(store.check().unwrap().documents, 5);
}

#[test]
fn contradictions_are_found() {
    let (_folder, path) = in_folder();
    let store = open(&path);
    store.create_profile(&name("ada"), &Profile::default()).unwrap();
    store
        .import(&name("ada"), &[document("", "one two"), document("", "two three")])
        .unwrap();
    store.check().unwrap();
    let raw = rusqlite::Connection::open(&path).unwrap();
    for (damage, repair) in [
        (
            "UPDATE frequencies SET documents = 7 WHERE term = 'two'",
            "UPDATE frequencies SET documents = 2 WHERE term = 'two'",
        ),
        ("DELETE FROM documents WHERE id = 1", ""),
    ] {
        raw.execute(damage, []).unwrap();
        let error = store.check().err().unwrap();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        raw.execute_batch(repair).unwrap();
    }
}

/// Eight who read and two who write, the second through a store of its own as another program would, for a while.
fn eight_read_and_two_write(seconds: u64) {
    let end = Instant::now() + Duration::from_secs(seconds);
    let (_folder, path) = in_folder();
    let (here, there) = (open(&path), open(&path));
    for who in ["w0", "w1"] {
        here.create_profile(
            &name(who),
            &Profile {
                facts: vec!["0".into()],
                ..Profile::default()
            },
        )
        .unwrap();
    }
    let (reads, writes, failed) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for (writer, store) in [&here, &there].into_iter().enumerate() {
            let (writes, failed) = (&writes, &failed);
            scope.spawn(move || {
                let who = name(&format!("w{writer}"));
                for round in 0.. {
                    if Instant::now() > end || failed.load(Ordering::Relaxed) {
                        return;
                    }
                    let notes: Vec<Document> = (0..20)
                        .map(|index| document("", &format!("note {round} of {index} words")))
                        .collect();
                    let fact = PrivateText::from(round.to_string());
                    let done = store.import(&who, &notes).and_then(|_| {
                        store.edit_profile(&who, |profile| {
                            profile.facts[0] = fact;
                            Ok::<_, StoreError>(())
                        })
                    });
                    let done = done.and_then(|_| {
                        let first = store.documents(&who, DocumentId(0), 1)?;
                        store.delete_document(&who, first[0].id)
                    });
                    if let Err(error) = done {
                        eprintln!("writing: {error}");
                        failed.store(true, Ordering::Relaxed);
                    }
                    writes.fetch_add(3, Ordering::Relaxed);
                }
            });
        }
        for reader in 0..8 {
            let store = if reader % 2 == 0 { &here } else { &there };
            let (reads, failed) = (&reads, &failed);
            scope.spawn(move || {
                while Instant::now() < end && !failed.load(Ordering::Relaxed) {
                    let who = name(&format!("w{}", reader % 2));
                    let done = store
                        .search(&who, "words of note 7", 5)
                        .and_then(|_| store.profile(&who))
                        .and_then(|_| store.profiles());
                    if let Err(error) = done {
                        eprintln!("reading: {error}");
                        failed.store(true, Ordering::Relaxed);
                    }
                    reads.fetch_add(3, Ordering::Relaxed);
                }
            });
        }
    });
    assert!(!failed.into_inner());
    let (reads, writes) = (reads.into_inner(), writes.into_inner());
    eprintln!("{reads} reads and {writes} writes, no lock error");
    assert!(reads > 100 && writes >= 6);
    here.check().unwrap();
}

#[test]
fn many_read_while_two_write() {
    eight_read_and_two_write(2);
}

#[test]
#[ignore = "long proof: a minute, or COSTEER_SOAK_SECONDS; the plain run takes two seconds"]
fn many_read_while_two_write_for_a_minute() {
    let seconds = std::env::var("COSTEER_SOAK_SECONDS").ok();
    eight_read_and_two_write(seconds.and_then(|text| text.parse().ok()).unwrap_or(60));
}
