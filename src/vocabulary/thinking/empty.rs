/// The thought without words that a template's source writes where the model is not to think; the last where it has several, because what
/// begins an answer stands at the end of a template.
pub fn empty_thought(template: &str, open: &str, close: &str) -> Option<String> {
    let (open, close) = (open.trim_ascii_end(), close.trim_ascii_end());
    let found = template.match_indices(open).filter_map(|(at, _)| {
        let (between, rest) = blanks(template.get(at + open.len()..)?, true);
        let (after, _) = blanks(rest.strip_prefix(close)?, false);
        Some(format!("{open}{between}{close}{after}"))
    });
    found.last()
}

/// The blanks that `source` begins with, and the rest. They are written as in a string; real ones count where `are_real` says so,
/// and otherwise are only the template's own layout.
fn blanks(source: &str, are_real: bool) -> (String, &str) {
    let (mut found, mut rest) = (String::new(), source);
    loop {
        if let Some(after) = rest.strip_prefix("\\n") {
            found.push('\n');
            rest = after;
        } else if let Some(after) = rest.strip_prefix(['\n', ' ']).filter(|_| are_real) {
            found.push_str(rest.get(..1).unwrap_or_default());
            rest = after;
        } else {
            return (found, rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(template: &str) -> Option<String> {
        empty_thought(template, "<think>", "</think>")
    }

    #[test]
    fn the_last_one_counts_and_layout_does_not() {
        let template = "{{ '<think></think>' }}{% if x %}{{- '<think>\\n\\n</think>\\n\\n' }}{% endif %}";
        assert_eq!(found(template).as_deref(), Some("<think>\n\n</think>\n\n"));
        assert_eq!(
            found("{% else %}<think></think>\n{% endif %}").as_deref(),
            Some("<think></think>")
        );
        assert_eq!(found("{{ '<think>\\n' + reasoning + '\\n</think>' }}"), None);
        assert_eq!(found("{{ text.split('</think>')[0] }}"), None);
    }
}
