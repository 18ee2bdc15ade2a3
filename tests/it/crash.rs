//! Killed in the middle of writing, again and again: the store opens, is sound, and has everything that was acknowledged.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use costeer::store::{DocumentId, KeySource, ProfileName, Store};
use serde_json::{Value, json};

use crate::profile_commands::Home;
use crate::support::costeer;

/// How often the plain run kills, and the long proof.
const FEW: usize = 10;
const MANY: usize = 50;
/// Each import has so many documents that it takes several transactions.
const DOCUMENTS: usize = 2000;

fn ada() -> ProfileName {
    ProfileName::new("ada").unwrap()
}

/// Somewhere up to `most`, by the round.
fn spread(round: usize, most: Duration) -> Duration {
    let share = (round as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    most.mul_f64(share as f64 / f64::from(1 << 24))
}

fn opened(store: &str) -> Store {
    let store = Store::open(Path::new(store), &KeySource::None).unwrap();
    store.check().unwrap();
    store
}

/// A file of documents that no other round has.
fn lines(home: &Home, round: usize) -> String {
    let file = home.folder.file("lines.jsonl");
    let text: String = (0..DOCUMENTS)
        .map(|index| {
            let line = json!({"id": format!("{round}/{index}"), "text": format!("Round {round}, note {index} of {DOCUMENTS}. {}", "And so on. ".repeat(20))});
            format!("{line}\n")
        })
        .collect();
    std::fs::write(&file, text).unwrap();
    file
}

fn killed_imports_lose_nothing(kills: usize) {
    let home = Home::new();
    home.say(&["create", "ada"]);
    let (mut kept, mut in_the_middle) = (0, 0);
    for round in 0..kills {
        let file = lines(&home, round);
        let arguments = [
            "profile",
            "--store",
            &home.store,
            "import",
            &file,
            "--profile",
            "ada",
            "--json",
        ];
        let mut child = costeer(&arguments, &[]).stdout(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(spread(round, Duration::from_millis(400)));
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died. A line that was cut short was not an acknowledgement.
        let said = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let said: Vec<Value> = said.filter_map(|line| serde_json::from_str(&line).ok()).collect();
        let acknowledged: u64 = said
            .iter()
            .filter(|line| line["done"].is_null())
            .map(|line| line["added"].as_u64().unwrap())
            .sum();
        in_the_middle += usize::from((1..DOCUMENTS as u64).contains(&acknowledged));
        let stored = opened(&home.store).profiles().unwrap()[0].documents;
        // One more transaction may have been finished and not yet acknowledged; never a part of one.
        let beyond = stored - kept - acknowledged;
        assert!(
            beyond == 0 || beyond == 256 || acknowledged + beyond == DOCUMENTS as u64,
            "round {round}: {beyond}"
        );
        kept = stored;
    }
    let found = opened(&home.store).search(&ada(), "round note", 5).unwrap();
    eprintln!(
        "{kills} kills, {in_the_middle} of them between the first and the last of {DOCUMENTS} documents; {kept} documents kept"
    );
    assert!(in_the_middle >= kills / 4 && found.len() == 5, "{in_the_middle}");
    let documents = opened(&home.store)
        .documents(&ada(), DocumentId(0), usize::MAX >> 1)
        .unwrap();
    assert!(
        documents.len() as u64 == kept
            && documents
                .iter()
                .all(|stored| stored.document.text.as_private_str().ends_with("And so on. "))
    );
}

#[test]
fn an_import_that_is_killed_loses_nothing_that_was_acknowledged() {
    killed_imports_lose_nothing(FEW);
}

#[test]
#[ignore = "long proof: 50 kills; the plain run has 10"]
fn fifty_imports_that_are_killed_lose_nothing() {
    killed_imports_lose_nothing(MANY);
}

fn killed_edits_have_happened_or_not(kills: usize) {
    let home = Home::new();
    home.say(&["create", "ada"]);
    let (mut facts, mut cut) = (Vec::new(), 0);
    for round in 0..kills {
        let fact = format!("fact {round}");
        let arguments = ["profile", "--store", &home.store, "edit", "ada", "--add-fact", &fact];
        let mut child = costeer(&arguments, &[]).spawn().unwrap();
        std::thread::sleep(spread(round, Duration::from_millis(60)));
        let _gone_already = child.kill();
        let acknowledged = child.wait().unwrap().success();
        cut += usize::from(!acknowledged);
        let stored = opened(&home.store).profile(&ada()).unwrap().facts;
        let stored: Vec<String> = stored.iter().map(|fact| fact.as_private_str().to_owned()).collect();
        let happened = stored.last() == Some(&fact);
        assert!(happened || !acknowledged, "round {round}: lost");
        facts.extend(happened.then_some(fact));
        assert_eq!(stored, facts, "round {round}");
    }
    eprintln!(
        "{kills} edits, {cut} killed before their acknowledgement, {} kept",
        facts.len()
    );
    assert!(cut >= kills / 10, "{cut}");
}

#[test]
fn an_edit_that_is_killed_has_happened_or_not() {
    killed_edits_have_happened_or_not(FEW);
}

#[test]
#[ignore = "long proof: 50 kills; the plain run has 10"]
fn fifty_edits_that_are_killed_have_happened_or_not() {
    killed_edits_have_happened_or_not(MANY);
}
