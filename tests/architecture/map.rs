//! Whether ARCHITECTURE.md says what is there. `UPDATE=1 cargo test --release --test architecture` draws the rooms anew.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use crate::graph::{Graph, reduced};
use crate::{TREE, rooms, root};

const BEGIN: &str = "<!-- rooms: drawn by tests/architecture -->\n";
const END: &str = "<!-- /rooms -->\n";

/// The rooms as a Mermaid flowchart; arrows that follow from others are left out.
fn drawing() -> String {
    let rooms = rooms();
    let graph: Graph<&str> = rooms
        .iter()
        .map(|(room, used)| (room.as_str(), used.iter().map(String::as_str).collect()))
        .collect();
    let mut drawing = String::from("```mermaid\nflowchart TD\n");
    for (room, used) in reduced(&graph) {
        for other in &used {
            writeln!(drawing, "    {room} --> {other}").unwrap();
        }
    }
    drawing + "```\n"
}

#[test]
fn the_rooms_are_drawn_as_they_are() {
    let path = root().join("ARCHITECTURE.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page
        .split_once(BEGIN)
        .expect("ARCHITECTURE.md has a place for the drawing");
    let (drawn, after) = rest.split_once(END).expect("and it ends");
    let drawing = drawing();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, [before, BEGIN, &drawing, END, after].concat()).unwrap();
    } else {
        assert_eq!(
            drawn, drawing,
            "UPDATE=1 cargo test --release --test architecture draws it anew"
        );
    }
}

/// What stands between backticks.
fn code_spans(page: &str) -> Vec<&str> {
    let prose = page.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

fn is_path(span: &str) -> bool {
    let fits = |part: char| part.is_ascii_alphanumeric() || "_-./".contains(part);
    span.chars().all(fits)
        && !span.starts_with('/')
        && (span.ends_with('/') || span.contains(".rs") || span.contains('/'))
}

#[test]
fn every_path_and_type_that_is_named_exists() {
    let known: BTreeSet<&str> = TREE
        .modules
        .values()
        .flat_map(|module| module.definitions.iter().map(String::as_str))
        .collect();
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root().join(page)).unwrap();
        for span in code_spans(&text) {
            if is_path(span) {
                let places = [root().to_owned(), root().join("src")];
                assert!(
                    places.iter().any(|place| place.join(span).exists()),
                    "{page}: there is no {span}"
                );
                continue;
            }
            let name = span.trim_end_matches("()");
            let parts: Vec<&str> = name.split("::").collect();
            let is_type = parts[0].starts_with(|first: char| first.is_ascii_uppercase());
            let is_name = parts
                .iter()
                .all(|part| part.chars().all(|one| one.is_ascii_alphanumeric() || one == '_'));
            // All capitals is a variable of the environment, or an abbreviation.
            if is_name && is_type && name.chars().any(|one| one.is_ascii_lowercase()) {
                for part in parts {
                    assert!(known.contains(part), "{page}: nothing is called {part} ({span})");
                }
            }
        }
    }
}
