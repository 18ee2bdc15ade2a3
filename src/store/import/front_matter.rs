use jiff::Timestamp;

use super::times;

/// What a note says about itself before its text.
#[derive(Default)]
pub struct FrontMatter {
    /// Its title.
    pub title: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was written.
    pub date: Option<Timestamp>,
}

/// Parts `text` into what stands between two lines of dashes at its beginning, and the rest. What is not understood
/// there stays out: this is no reader of YAML.
pub fn split(text: &str) -> (FrontMatter, &str) {
    let mut lines = text.split_inclusive('\n');
    let Some(begin) = lines.next().filter(|line| line.trim_end() == "---") else {
        return (FrontMatter::default(), text);
    };
    let (mut at, mut end) = (begin.len(), None);
    for line in lines {
        let begun = at;
        at += line.len();
        if ["---", "..."].contains(&line.trim_end()) {
            end = Some(begun);
            break;
        }
    }
    match (end.and_then(|end| text.get(begin.len()..end)), text.get(at..)) {
        (Some(block), Some(rest)) => (read(block), rest),
        _ => (FrontMatter::default(), text),
    }
}

fn read(block: &str) -> FrontMatter {
    let mut found = FrontMatter::default();
    let mut in_tags = false;
    for line in block.lines() {
        if let Some(item) = line.trim().strip_prefix("- ").filter(|_| in_tags) {
            found.tags.extend(tag(item));
            continue;
        }
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        in_tags = key == "tags" && value.is_empty();
        match key {
            "title" => found.title = Some(unquoted(value).to_owned()).filter(|title| !title.is_empty()),
            "date" => found.date = times::written(unquoted(value)),
            "tags" => {
                let list = value.strip_prefix('[').and_then(|list| list.strip_suffix(']'));
                found.tags.extend(list.unwrap_or(value).split(',').filter_map(tag));
            }
            _ => {}
        }
    }
    found
}

fn tag(written: &str) -> Option<String> {
    let tag = unquoted(written.trim()).trim_start_matches('#');
    (!tag.is_empty()).then(|| tag.to_owned())
}

fn unquoted(value: &str) -> &str {
    let within = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_tags_and_date_are_read() {
        let (found, rest) =
            split("---\r\ntitle: \"My: day\"\ntags:\n  - '#home'\n- away\ndate: 2024-05-01\nlayout: x\n---\nText\n");
        assert_eq!(found.title.as_deref(), Some("My: day"));
        assert_eq!(found.tags, ["home", "away"]);
        assert_eq!(found.date, times::written("2024-05-01"));
        assert_eq!(rest, "Text\n");
        assert_eq!(split("---\ntags: [a, \"b c\" ,]\n...\n").0.tags, ["a", "b c"]);
    }

    #[test]
    fn what_is_not_understood_stays_out() {
        let (found, rest) = split("---\ntitle:\ndate: soon\nauthor:\n  - tags: x\n- y\n???\n---\nText");
        assert_eq!(
            (found.title, found.tags, found.date, rest),
            (None, vec![], None, "Text")
        );
        for text in [
            "",
            "---",
            "---\ntitle: never ends\n",
            "--- no\n---\n",
            "Text\n---\na: b\n---\n",
        ] {
            assert_eq!(split(text).1, text);
        }
    }
}
