//! What a note says about itself before its text: YAML between dashes, or TOML between plus signs.

use std::borrow::Cow;

use jiff::Timestamp;

use super::entry::one_line;
use super::times;
use super::yaml::{self, Node};

/// What is understood of it.
#[derive(Default)]
pub struct FrontMatter {
    /// Its title.
    pub title: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was written.
    pub date: Option<Timestamp>,
}

/// Parts `text` into the front matter and the rest. A block that is no list of keys and values is text: a journal may begin with a rule.
pub fn split(text: &str) -> (FrontMatter, &str) {
    let none = || (FrontMatter::default(), text);
    let begun = text.trim_start_matches(['\n', '\r']);
    let mut lines = begun.split_inclusive('\n');
    let (fence, first) = match lines.next() {
        Some(line) if line.trim_end() == "---" => ("---", line),
        Some(line) if line.trim_end() == "+++" => ("+++", line),
        _ => return none(),
    };
    let mut at = first.len();
    for line in lines {
        let end = at;
        at += line.len();
        let ends = line.trim_end() == fence || (fence == "---" && line.trim_end() == "...");
        if !ends {
            continue;
        }
        let (Some(block), Some(rest)) = (begun.get(first.len()..end), begun.get(at..)) else {
            return none();
        };
        let map = if fence == "+++" { toml(block) } else { yaml_map(block) };
        return map.map_or_else(none, |map| (read(&map), rest));
    }
    none()
}

/// Keys in lower case, without what stands between their words.
type Map = Vec<(String, Node)>;

fn yaml_map(block: &str) -> Option<Map> {
    // What YAML does not allow, people write nevertheless: tabs at the end, and colons within a title.
    let node = yaml::read(block).or_else(|| yaml::read(&quoted(block)?))?;
    let Node::Map(entries) = node else { return None };
    let map: Option<Map> = entries
        .into_iter()
        .map(|(key, value)| match key {
            Node::Text(key) => Some((key, value)),
            _ => None,
        })
        .collect();
    let map = map?;
    let known = map.iter().any(|(key, _)| is_known(key));
    // "Monday: rain" between two rules is a journal.
    let technical = |key: &String| {
        let mut characters = key.chars();
        characters
            .next()
            .is_some_and(|first| first.is_ascii_lowercase() || first == '_')
            && characters.all(|character| {
                character.is_ascii_lowercase() || character.is_ascii_digit() || "-_.".contains(character)
            })
    };
    let plausible = !map.is_empty() && (known || map.iter().all(|(key, _)| technical(key)));
    plausible.then(|| map.into_iter().map(|(key, value)| (simple(&key), value)).collect())
}

/// `block` with quotes around values that have none and need them; `None` where a line is nothing like YAML.
fn quoted(block: &str) -> Option<String> {
    let lines = block.lines().map(|line| {
        let line = line.trim_end();
        let item = line.trim_start();
        if item.is_empty() || item.starts_with(['#', '-']) || line.starts_with([' ', '\t']) {
            return Some(Cow::Owned(line.replace('\t', "  ")));
        }
        let (key, value) = line.split_once(':')?;
        let value = value.trim();
        let fine = value.is_empty()
            || value.starts_with(['"', '\'', '[', '{', '|', '>'])
            || key.contains(' ') && !is_known(key);
        if fine {
            return Some(line.into());
        }
        Some(Cow::Owned(format!("{key}: '{}'", value.replace('\'', "''"))))
    });
    lines.collect::<Option<Vec<_>>>().map(|lines| lines.join("\n"))
}

fn toml(block: &str) -> Option<Map> {
    let table: ::toml::Table = block.parse().ok()?;
    let map = table.into_iter().map(|(key, value)| (simple(&key), toml_node(value)));
    Some(map.collect())
}

fn toml_node(value: ::toml::Value) -> Node {
    match value {
        ::toml::Value::String(text) => Node::Text(text),
        ::toml::Value::Array(items) => Node::List(items.into_iter().map(toml_node).collect()),
        ::toml::Value::Table(table) => Node::Map(
            table
                .into_iter()
                .map(|(key, value)| (Node::Text(key), toml_node(value)))
                .collect(),
        ),
        ::toml::Value::Datetime(time) => Node::Text(time.to_string()),
        ::toml::Value::Integer(number) => Node::Text(number.to_string()),
        ::toml::Value::Float(number) => Node::Text(number.to_string()),
        ::toml::Value::Boolean(truth) => Node::Text(truth.to_string()),
    }
}

fn simple(key: &str) -> String {
    let letters = key.chars().filter(|character| !" -_".contains(*character));
    letters.flat_map(char::to_lowercase).collect()
}

const DATES: [&str; 14] = [
    "date",
    "created",
    "createdat",
    "datecreated",
    "creationdate",
    "createdtime",
    "createtime",
    "dateadded",
    "published",
    "publishedat",
    "pubdate",
    "time",
    "timestamp",
    "updated",
];
const TAGS: [&str; 3] = ["tags", "tag", "keywords"];
/// What else programs write there.
const OTHERS: [&str; 31] = [
    "title",
    "modified",
    "updatedat",
    "lastmod",
    "datemodified",
    "layout",
    "author",
    "authors",
    "category",
    "categories",
    "aliases",
    "alias",
    "cssclass",
    "cssclasses",
    "publish",
    "draft",
    "slug",
    "permalink",
    "description",
    "summary",
    "id",
    "uid",
    "uuid",
    "lang",
    "language",
    "source",
    "url",
    "subtitle",
    "excerpt",
    "weight",
    "status",
];

/// Whether programs write a key of this name there. A block with one is theirs.
fn is_known(key: &str) -> bool {
    let key = simple(key);
    DATES.iter().chain(&TAGS).chain(&OTHERS).any(|known| *known == key)
}

fn read(map: &Map) -> FrontMatter {
    let first = |names: &[&str]| {
        let found = names
            .iter()
            .flat_map(|name| map.iter().filter(move |(key, _)| key == name));
        found.map(|(_, value)| value).collect::<Vec<_>>()
    };
    let title = first(&["title"])
        .into_iter()
        .map(|value| one_line(&texts(value).join(" ")));
    let dates = first(&DATES).into_iter().flat_map(texts);
    FrontMatter {
        title: title.into_iter().find(|title| !title.is_empty()),
        tags: first(&TAGS).into_iter().flat_map(tags).collect(),
        date: dates
            .into_iter()
            .find_map(|date| times::written(date.trim_matches(['[', ']']))),
    }
}

/// All texts in a value. `[[link]]` is a list in a list to YAML.
fn texts(value: &Node) -> Vec<&str> {
    match value {
        Node::Text(text) => vec![text],
        Node::List(items) => items.iter().flat_map(texts).collect(),
        Node::Map(_) => Vec::new(),
    }
}

fn tags(value: &Node) -> Vec<String> {
    let written: Vec<&str> = match value {
        Node::Text(text) if text.contains(',') => text.split(',').collect(),
        Node::Text(text) => text.split_whitespace().collect(),
        list => texts(list),
    };
    let bare = |tag: &str| {
        tag.trim()
            .trim_start_matches(['#', '['])
            .trim_end_matches(']')
            .trim()
            .to_owned()
    };
    written.into_iter().map(bare).filter(|tag| !tag.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_tags_and_date_are_read() {
        let (found, rest) =
            split("---\r\ntitle: \"My: day\"\ntags:\n  - '#home'\n  - away\ndate: 2024-05-01\nlayout: x\n---\nText\n");
        assert_eq!(found.title.as_deref(), Some("My: day"));
        assert_eq!(found.tags, ["home", "away"]);
        assert_eq!(found.date, times::written("2024-05-01"));
        assert_eq!(rest, "Text\n");
        assert_eq!(split("---\ntags: [a, \"b c\" ,]\n...\n").0.tags, ["a", "b c"]);
        let (found, rest) = split("+++\ntitle = \"Soup\"\ndate = 2014-04-30\ntags = ['a']\n+++\nText");
        assert_eq!((found.title.as_deref(), rest), (Some("Soup"), "Text"));
        assert_eq!(found.date, times::written("2014-04-30"));
    }

    #[test]
    fn slips_are_mended() {
        let (found, rest) =
            split("\n---\ntitle: My: day, don't ask\nDate: @today\ntags: #a\nCreated: [[2024-05-01]]\n---\nText");
        assert_eq!(found.title.as_deref(), Some("My: day, don't ask"));
        assert_eq!((found.date, rest), (times::written("2024-05-01"), "Text"));
        let (found, _) = split("---\ntitle: >\n  folded\n  title\nTag: '#a #b'\n---\n");
        assert_eq!(
            (found.title.as_deref(), found.tags),
            (Some("folded title"), vec!["a".to_owned(), "b".to_owned()])
        );
    }

    #[test]
    fn text_between_rules_is_text() {
        for text in [
            "",
            "---",
            "---\ntitle: never ends\n",
            "--- no\n---\n",
            "Text\n---\na: b\n---\n",
            "---\n\nMonday. Meat.\n\n---\n\nTuesday\n",
            "---\nDear diary,\nI moved: finally!\n---\nMore.\n",
            "---\nI moved to Trondheim: finally!\n---\nMore.\n",
            "---\nMonday: rain\nTuesday: sun\n---\nMore.\n",
            "---\n- oats\n- tofu\n---\n",
            "+++\nno toml\n+++\n",
        ] {
            assert_eq!(split(text).1, text);
        }
    }
}
