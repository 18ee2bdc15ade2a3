//! The shape of the source tree, read from its syntax: who uses whom, how long files are, and whether ARCHITECTURE.md is true.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on should say so and stop"
)]

mod graph;
mod map;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use graph::{Graph, circles};
use source::Tree;

static TREE: LazyLock<Tree> = LazyLock::new(|| Tree::read(&root().join("src")));

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rooms of `src`, and the rooms that each may use. ARCHITECTURE.md draws what they do use.
const MAY_USE: [(&str, &[&str]); 21] = [
    ("foreign", &[]),
    ("private_file", &[]),
    ("steering", &[]),
    ("telemetry", &[]),
    ("vocabulary", &[]),
    ("wire", &[]),
    ("token", &["private_file"]),
    ("store", &["private_file"]),
    ("local", &["vocabulary"]),
    ("upstream", &["foreign", "vocabulary"]),
    ("context", &["store", "vocabulary"]),
    ("structure", &["vocabulary"]),
    ("decode", &["local", "steering", "structure", "upstream", "vocabulary"]),
    (
        "settings",
        &[
            "context",
            "decode",
            "local",
            "steering",
            "store",
            "upstream",
            "vocabulary",
        ],
    ),
    (
        "service",
        &[
            "context",
            "decode",
            "local",
            "settings",
            "steering",
            "store",
            "structure",
            "upstream",
            "vocabulary",
        ],
    ),
    (
        "http",
        &[
            "context",
            "decode",
            "foreign",
            "local",
            "service",
            "settings",
            "steering",
            "store",
            "structure",
            "telemetry",
            "token",
            "tune",
            "upstream",
            "vocabulary",
            "wire",
        ],
    ),
    ("setup", &["foreign", "local", "private_file", "upstream", "vocabulary"]),
    ("testkit", &["local", "steering", "vocabulary", "wire"]),
    (
        "doctor",
        &[
            "decode",
            "foreign",
            "local",
            "service",
            "settings",
            "store",
            "upstream",
            "vocabulary",
        ],
    ),
    (
        "tune",
        &[
            "context",
            "decode",
            "local",
            "private_file",
            "service",
            "settings",
            "steering",
            "upstream",
            "vocabulary",
        ],
    ),
    (
        "cli",
        &[
            "context",
            "decode",
            "doctor",
            "foreign",
            "http",
            "local",
            "private_file",
            "service",
            "settings",
            "steering",
            "setup",
            "store",
            "telemetry",
            "testkit",
            "token",
            "tune",
            "upstream",
            "vocabulary",
        ],
    ),
];

/// A file's room; `lib.rs` and `main.rs` have none.
fn room(file: &Path) -> Option<String> {
    let first = Path::new(file.iter().next()?).file_stem()?.to_str()?.to_owned();
    (!["lib", "main"].contains(&first.as_str())).then_some(first)
}

/// Each room with the rooms that it uses.
fn rooms() -> BTreeMap<String, BTreeSet<String>> {
    let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, used) in TREE.uses() {
        let Some(own) = room(file) else { continue };
        let others = used
            .into_iter()
            .filter_map(room)
            .filter(|other| *other != own)
            .collect::<Vec<_>>();
        rooms.entry(own).or_default().extend(others);
    }
    rooms
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let files: Graph<&Path> = TREE.uses();
    let found = circles(&files);
    assert!(found.is_empty(), "circles of files: {found:#?}");
}

#[test]
fn rooms_use_only_rooms_that_they_may() {
    let allowed = BTreeMap::from(MAY_USE);
    for (own, used) in rooms() {
        let may = allowed.get(own.as_str());
        let may = may.unwrap_or_else(|| panic!("the room {own} is not on the list"));
        for other in &used {
            assert!(may.contains(&other.as_str()), "{own} uses {other}");
        }
        let needless: Vec<_> = may.iter().filter(|other| !used.contains(**other)).collect();
        assert!(needless.is_empty(), "{own} does not use {needless:?} any more");
    }
}

#[test]
fn secrets_stay_where_they_belong() {
    for module in TREE.modules.values() {
        let text = fs::read_to_string(root().join("src").join(&module.file)).unwrap();
        let room = room(&module.file).unwrap_or_default();
        if text.contains(".expose()") {
            assert_eq!(room, "context", "{} reads the context", module.file.display());
        }
        if text.contains("PrivateContext") {
            assert!(!["upstream", "testkit", "decode", "telemetry", "wire"].contains(&room.as_str()));
        }
        if text.contains("mistralrs::") {
            assert_eq!(room, "local", "{} knows mistral.rs", module.file.display());
        }
        if text.contains("llama_cpp_2::") {
            assert_eq!(room, "local", "{} knows llama.cpp", module.file.display());
        }
        if text.contains("axum::") {
            assert!(
                ["http", "testkit", "wire"].contains(&room.as_str()),
                "{} knows axum",
                module.file.display()
            );
        }
    }
}

#[test]
fn files_can_be_read_in_one_sitting() {
    let mut lengths: Vec<(usize, &PathBuf)> = TREE
        .modules
        .values()
        .map(|module| (module.lines, &module.file))
        .collect();
    lengths.sort_unstable();
    let (longest, file) = lengths.last().unwrap();
    assert!(*longest <= 400, "{} has {longest} lines", file.display());
    let (median, _) = lengths[lengths.len() / 2];
    assert!(median <= 120, "half of the files have more than {median} lines");
}
