//! Dictionaries that are written in a template.

use std::borrow::Cow;

use super::scan::end_of_string;

/// The function that makes a dictionary out of keys and values in turn.
pub const FUNCTION: &str = "__dict";

/// `code`, with each dictionary in it written as a call of [`FUNCTION`]. Python's dictionaries keep their order, and minijinja's are
/// sorted.
pub fn ordered(code: &str) -> Cow<'_, str> {
    // An expression's own braces are no dictionary's.
    let (outer, inner) = match code.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
        Some(inner) => (["{{", "}}"], inner),
        None => (["", ""], code),
    };
    if !inner.contains('{') {
        return Cow::Borrowed(code);
    }
    let bytes = inner.as_bytes();
    let mut written = outer[0].to_owned();
    let (mut open, mut from, mut at) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        let instead = match (bytes[at], open.last()) {
            (b'{', _) => Some([" ", FUNCTION, "("].concat()),
            (b'}', Some(b'{')) => Some(")".to_owned()),
            (b':', Some(b'{')) => Some(",".to_owned()),
            _ => None,
        };
        match bytes[at] {
            bracket @ (b'{' | b'[' | b'(') => open.push(bracket),
            b'}' | b']' | b')' => drop(open.pop()),
            quote @ (b'"' | b'\'') => at = end_of_string(bytes, at, quote).unwrap_or(bytes.len() - 1),
            _ => {}
        }
        if let Some(instead) = instead {
            written.push_str(&inner[from..at]);
            written.push_str(&instead);
            from = at + 1;
        }
        at += 1;
    }
    written.push_str(&inner[from..]);
    written.push_str(outer[1]);
    Cow::Owned(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_dictionarys_own_signs_change() {
        for (code, wanted) in [
            (
                "{{ {'a': x[1:2], 'b': {}} }}",
                "{{  __dict('a', x[1:2], 'b',  __dict()) }}",
            ),
            (" set a = '{x: y}' ", " set a = '{x: y}' "),
            (" set a = {\"}\": f(b)} ", " set a =  __dict(\"}\", f(b)) "),
            ("{{ x[1:] }}", "{{ x[1:] }}"),
        ] {
            assert_eq!(ordered(code), wanted);
        }
    }
}
