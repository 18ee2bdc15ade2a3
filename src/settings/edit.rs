//! Setting keys in the text of a configuration file, all else in it left as it is.

use toml::de::{DeTable, DeValue};

/// Why a file was left as it is.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It is no TOML.
    #[error("it is not TOML")]
    NotToml,
    /// It is written in a way that only a person can change.
    #[error("{section}.{key} cannot be set where {section} is written like this; set it by hand")]
    Written {
        /// The section.
        section: String,
        /// The key in it.
        key: String,
    },
}

/// `text` with these numbers in `section`: in place of the values that are there, or below the section's head, or in a section of its
/// own at the end. Comments, order and everything else stay.
///
/// # Errors
/// An [`EditError`]. Nothing is changed that does not read afterwards as it should.
pub fn with_numbers(text: &str, section: &str, numbers: &[(&str, f64)]) -> Result<String, EditError> {
    let mut edited = text.to_owned();
    for (key, number) in numbers {
        edited = with_number(&edited, section, key, *number)?;
    }
    Ok(edited)
}

/// The keys of `section` that are set in `text`.
pub fn keys_of(text: &str, section: &str) -> Vec<String> {
    let table: Option<toml::Table> = toml::from_str(text).ok();
    let section = table.as_ref().and_then(|table| table.get(section)?.as_table());
    section.map_or_else(Vec::new, |section| section.keys().cloned().collect())
}

fn with_number(text: &str, section: &str, key: &str, number: f64) -> Result<String, EditError> {
    let before: toml::Table = toml::from_str(text).map_err(|_| EditError::NotToml)?;
    let document = DeTable::parse(text).map_err(|_| EditError::NotToml)?;
    // TOML tells whole numbers from others.
    let number = format!("{number:?}");
    let found = document.get_ref().iter().find(|(name, _)| name.get_ref() == section);
    let value = found.and_then(|(_, table)| {
        let mut inner = table.get_ref().as_table()?.iter();
        inner.find_map(|(name, value)| (name.get_ref() == key).then_some(value))
    });
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let line = format!("{key} = {number}{ending}");
    let edited = match (found, value) {
        (_, Some(value))
            if matches!(
                value.get_ref(),
                DeValue::Float(_) | DeValue::Integer(_) | DeValue::String(_)
            ) =>
        {
            let span = value.span();
            [text.get(..span.start), Some(&number), text.get(span.end..)]
                .map(Option::unwrap_or_default)
                .concat()
        }
        (Some((name, _)), None) => {
            // Below the head.
            let rest = text.get(name.span().end..).unwrap_or_default();
            let end = rest.find('\n').map_or(text.len(), |end| name.span().end + end + 1);
            let head = text.get(..end).unwrap_or_default();
            let gap = if head.ends_with('\n') { "" } else { ending };
            [head, gap, &line, text.get(end..).unwrap_or_default()].concat()
        }
        (None, None) => {
            let gap = if text.is_empty() || text.ends_with('\n') {
                ""
            } else {
                ending
            };
            let blank = if text.trim().is_empty() { "" } else { ending };
            [text, gap, blank, "[", section, "]", ending, &line].concat()
        }
        (_, Some(_)) => text.to_owned(),
    };
    let wrong = || EditError::Written {
        section: section.to_owned(),
        key: key.to_owned(),
    };
    let mut expected = before;
    let table = expected
        .entry(section)
        .or_insert_with(|| toml::Value::Table(toml::Table::new()))
        .as_table_mut()
        .ok_or_else(wrong)?;
    table.insert(key.to_owned(), toml::Value::Float(number.parse().map_err(|_| wrong())?));
    match toml::from_str::<toml::Table>(&edited) {
        Ok(read) if read == expected => Ok(edited),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edited(text: &str) -> Result<String, EditError> {
        with_numbers(text, "steering", &[("strength", 1.25), ("delta_floor", 0.0)])
    }

    #[test]
    fn values_change_where_they_stand() {
        for (before, after) in [
            ("", "[steering]\nstrength = 1.25\n\ndelta_floor = 0.0\n"),
            (
                "# Mine.\n[steering] # how\nstrength = 2 # too much\ndelta_floor = 0.1",
                "# Mine.\n[steering] # how\nstrength = 1.25 # too much\ndelta_floor = 0.0",
            ),
            (
                "steering.strength = 2\nsteering.delta_floor = 1e-3\n",
                "steering.strength = 1.25\nsteering.delta_floor = 0.0\n",
            ),
            (
                "steering = { strength = 2, delta_floor = 3.0 }\n",
                "steering = { strength = 1.25, delta_floor = 0.0 }\n",
            ),
            (
                "[steering]\r\nstrength = 2\r\n",
                "[steering]\r\ndelta_floor = 0.0\r\nstrength = 1.25\r\n",
            ),
            (
                "[\"steering\"]\nmax_tokens = 5\n[log]\n",
                "[\"steering\"]\ndelta_floor = 0.0\nstrength = 1.25\nmax_tokens = 5\n[log]\n",
            ),
            (
                "[log]\nfilter = \"[steering]\"",
                "[log]\nfilter = \"[steering]\"\n\n[steering]\ndelta_floor = 0.0\nstrength = 1.25\n",
            ),
        ] {
            let after = after.replace(
                "strength = 1.25\n\ndelta_floor = 0.0",
                "delta_floor = 0.0\nstrength = 1.25",
            );
            assert_eq!(edited(before).unwrap(), after, "{before}");
        }
    }

    #[test]
    fn what_only_a_person_can_change_is_left() {
        for text in [
            "steering = { }\n",
            "steering = 3\n",
            "[steering]\nstrength = [1]\n",
            "steering.max_tokens = 5\n[log]\n",
        ] {
            match edited(text) {
                Err(error) => assert!(matches!(error, EditError::Written { .. }), "{text}: {error}"),
                Ok(edited) => assert!(
                    keys_of(&edited, "steering").contains(&"strength".to_owned()),
                    "{edited}"
                ),
            }
        }
        assert_eq!(edited("[steering"), Err(EditError::NotToml));
    }

    proptest! {
        #[test]
        fn all_else_stays(
            head in "(# [a-z ]{0,20}\n|\n|[a-f] = [0-9]{1,4} ?# [a-z]{0,9}\n){0,3}",
            keys in "(max_shift = [0-9]\n|# [a-z]{0,9}\n|strength = [0-9]\\.[0-9]+ # [a-z]{0,9}\n|\n){0,4}",
            tail in "(\n\\[log\\] # [a-z]{0,9}\nfilter = \"[a-z# ]{0,9}\"\n){0,1}",
        ) {
            let text = format!("{head}[steering]\n{keys}{tail}");
            prop_assume!(toml::from_str::<toml::Table>(&text).is_ok());
            let edited = edited(&text).unwrap();
            let mut lines = edited.lines();
            for line in text.lines() {
                let (code, comment) = line.split_once('#').unwrap_or((line, ""));
                let kept = lines.by_ref().find(|other| *other == line
                    || (code.starts_with("strength") && other.starts_with("strength") && other.ends_with(comment)));
                prop_assert!(kept.is_some(), "{line:?} is not in {edited:?}");
            }
        }
    }
}
