//! Prometheus' text format, as far as numbers go: comments, types and timestamps are left out.

/// A number of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The metric's name.
    pub name: String,
    /// Names and values, in the order of the line.
    pub labels: Vec<(String, String)>,
    /// May be infinite, or no number.
    pub value: f64,
}

/// The text is no such format.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NotMetrics {
    /// Counted from 1.
    pub line: usize,
}

/// All series of a text, in its order.
///
/// # Errors
/// [`NotMetrics`] with the first line that is none.
pub fn parse(text: &str) -> Result<Vec<Series>, NotMetrics> {
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| series(line).ok_or(NotMetrics { line: number }))
        .collect()
}

fn series(line: &str) -> Option<Series> {
    let end = line.find(|character: char| !is_of_a_name(character))?;
    let (name, rest) = line.split_at(end);
    if name.is_empty() {
        return None;
    }
    let (labels, rest) = match rest.trim_start().strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    let mut numbers = rest.split_whitespace();
    let value = numbers.next()?.parse().ok()?;
    // A timestamp may follow, and nothing else.
    if numbers.next().is_some_and(|time| time.parse::<i64>().is_err()) || numbers.next().is_some() {
        return None;
    }
    Some(Series {
        name: name.to_owned(),
        labels,
        value,
    })
}

/// The labels up to the closing brace, and what comes after it.
fn labels(mut rest: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, value) = rest.split_once('=')?;
        let name = name.trim_end();
        if name.is_empty() || !name.chars().all(is_of_a_name) {
            return None;
        }
        let (value, after) = quoted(value.trim_start())?;
        labels.push((name.to_owned(), value));
        rest = after.trim_start();
        // The last label may have a comma after it, too.
        rest = match rest.strip_prefix(',') {
            Some(after) => after,
            None if rest.starts_with('}') => rest,
            None => return None,
        };
    }
}

/// A text in quotes, and what comes after it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.strip_prefix('"')?.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            // One for the quote before.
            '"' => return Some((value, &text[at + 2..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                escaped @ ('"' | '\\') => value.push(escaped),
                _ => return None,
            },
            _ => value.push(character),
        }
    }
    None
}

fn is_of_a_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == ':'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(series: &Series) -> String {
        let escape = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels = series
            .labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", escape(value)));
        let labels: Vec<String> = labels.collect();
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", labels.join(","))
        };
        format!("{}{labels} {}", series.name, series.value)
    }

    fn any_series() -> impl Strategy<Value = Series> {
        let labels = prop::collection::vec(("[a-z_][a-z0-9_]{0,8}", "[ -~\n\\\\\"äß€}]{0,12}"), 0..4);
        // Infinity stands in every histogram.
        let value = prop_oneof![
            any::<f64>().prop_filter("numbers", |value| !value.is_nan()),
            Just(f64::INFINITY)
        ];
        ("[a-z_:][a-z0-9_:]{0,20}", labels, value).prop_map(|(name, labels, value)| Series { name, labels, value })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(all in prop::collection::vec(any_series(), 0..8), noise in "[ -~]{0,20}") {
            let lines: Vec<String> = all.iter().map(written).collect();
            let text = format!("# HELP x {noise}\n{}\n\n# TYPE x counter\n", lines.join("\n"));
            prop_assert_eq!(parse(&text), Ok(all));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _neither_panics = parse(&text);
        }

        #[test]
        fn a_line_that_is_cut_off_is_refused_or_has_another_number(one in any_series(), share in 0.0..1.0) {
            let line = written(&one);
            let cut: String = line.chars().take((share * line.chars().count() as f64) as usize).collect();
            if let Ok(found) = parse(&cut) {
                prop_assert!(found.iter().all(|series| series.name == one.name && series.labels == one.labels));
            }
        }
    }

    #[test]
    fn forms_that_servers_write_are_read() {
        let one = |line: &str| parse(line).map(|all| all[0].clone());
        let spaced = one("a_total { x = \"1\" , y=\"2\", } 3 1712345678901").unwrap();
        assert_eq!(spaced.labels, [("x".into(), "1".into()), ("y".into(), "2".into())]);
        assert_eq!(spaced.value, 3.0);
        assert_eq!(one("a +Inf").unwrap().value, f64::INFINITY);
        assert!(one("a NaN").unwrap().value.is_nan());
        for wrong in [
            "<html>",
            "a",
            "a b",
            "a{x=1} 2",
            "a{x=\"1\"",
            "a 1 2 3",
            "{} 1",
            "a{x=\"\\q\"} 1",
        ] {
            assert_eq!(
                parse(&format!("# fine\n{wrong}")),
                Err(NotMetrics { line: 2 }),
                "{wrong}"
            );
        }
    }
}
