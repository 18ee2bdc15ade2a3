//! The shape of the source tree: who may use whom, and how long a file may be.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Rooms and the rooms they may use, as ARCHITECTURE.md draws them.
const MAY_USE: [(&str, &[&str]); 16] = [
    ("foreign", &[]),
    ("private_file", &[]),
    ("token", &["private_file"]),
    ("vocabulary", &[]),
    ("steering", &[]),
    ("telemetry", &[]),
    ("upstream", &["foreign", "vocabulary"]),
    ("local", &["vocabulary"]),
    ("store", &["private_file"]),
    ("context", &["store", "vocabulary"]),
    ("decode", &["local", "upstream", "steering", "vocabulary"]),
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
        "http",
        &[
            "context",
            "decode",
            "foreign",
            "local",
            "settings",
            "steering",
            "store",
            "telemetry",
            "token",
            "upstream",
            "vocabulary",
        ],
    ),
    ("embedded", &["local", "steering", "vocabulary"]),
    (
        "doctor",
        &[
            "decode",
            "foreign",
            "http",
            "local",
            "settings",
            "store",
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
            "embedded",
            "foreign",
            "http",
            "local",
            "private_file",
            "settings",
            "store",
            "telemetry",
            "token",
            "upstream",
            "vocabulary",
        ],
    ),
];

#[test]
fn rooms_use_only_rooms_below_them() {
    for (room, allowed) in MAY_USE {
        let folder = src().join(room);
        // A room of one file has no folder.
        let files = if folder.is_dir() {
            sources(&folder)
        } else {
            vec![folder.with_extension("rs")]
        };
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for used in text.split("crate::").skip(1) {
                let end = used.find(|character: char| !character.is_alphanumeric() && character != '_');
                let used = &used[..end.unwrap_or(used.len())];
                let is_room = MAY_USE.iter().any(|(name, _)| *name == used);
                let fine = !is_room || used == room || allowed.contains(&used);
                assert!(fine, "{} uses crate::{used}", file.display());
            }
        }
    }
}

#[test]
fn every_room_is_on_the_map() {
    for entry in fs::read_dir(src()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let known = MAY_USE.iter().any(|(room, _)| *room == name);
        assert!(known || ["lib", "main"].contains(&name), "{name} is not on the map");
    }
}

#[test]
fn secrets_stay_where_they_belong() {
    for file in sources(&src()) {
        let text = fs::read_to_string(&file).unwrap();
        let room = file.strip_prefix(src()).unwrap().iter().next().unwrap();
        if text.contains(".expose()") {
            assert!(room == "context", "{} reads the context", file.display());
        }
        if text.contains("PrivateContext") {
            assert!(room != "upstream" && room != "embedded" && room != "decode" && room != "telemetry");
        }
        if text.contains("mistralrs::") {
            assert_eq!(room, "local", "{} knows mistral.rs", file.display());
        }
    }
}

#[test]
fn files_can_be_read_in_one_sitting() {
    for file in sources(&src()) {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 430, "{} has {lines} lines", file.display());
    }
    let main = fs::read_to_string(src().join("main.rs")).unwrap();
    assert!(main.lines().count() < 60);
}
