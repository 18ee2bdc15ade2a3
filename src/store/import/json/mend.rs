//! Reading JSON that is almost right.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::store::import::encoding;

/// The value in `bytes`. What other programs write though JSON does not have it is mended: halves of characters, stray bytes, line
/// breaks within texts, and numbers that are none. `None` where that is not enough.
pub fn parse(bytes: &[u8]) -> Option<Value> {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Some(value);
    }
    let text = Zeroizing::new(encoding::mended(bytes));
    serde_json::from_str(&Zeroizing::new(mended(&text))).ok()
}

fn mended(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let length = match character {
            '"' => string(rest, &mut out),
            '-' | '+' | '0'..='9' | 'A'..='Z' | 'a'..='z' => word(rest, &mut out),
            '\0' => 1,
            _ => {
                out.push(character);
                character.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// Writes the string that `text` begins with, and gives its length.
fn string(text: &str, out: &mut String) -> usize {
    out.push('"');
    let mut at = 1;
    while let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) {
        at += character.len_utf8();
        match character {
            '"' => {
                out.push('"');
                return at;
            }
            '\\' => at += escape(text.get(at..).unwrap_or_default(), out),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {}
            other => out.push(other),
        }
    }
    at
}

/// Writes an escape without its backslash, and gives how much of `text` it was.
fn escape(text: &str, out: &mut String) -> usize {
    let unit = |at: usize| {
        let digits = text.get(at..at + 4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let Some(first) = text.chars().next() else { return 0 };
    match first {
        'u' => match unit(1) {
            None => {
                out.push_str("\\\\u");
                1
            }
            Some(high @ 0xD800..=0xDBFF) => {
                let low = (text.get(5..7) == Some("\\u")).then(|| unit(7)).flatten();
                match low {
                    Some(low @ 0xDC00..=0xDFFF) => {
                        out.push_str(&format!("\\u{high:04x}\\u{low:04x}"));
                        11
                    }
                    _ => {
                        out.push('\u{FFFD}');
                        5
                    }
                }
            }
            Some(0xDC00..=0xDFFF) => {
                out.push('\u{FFFD}');
                5
            }
            Some(other) => {
                out.push_str(&format!("\\u{other:04x}"));
                5
            }
        },
        '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => {
            out.push('\\');
            out.push(first);
            1
        }
        // No escape of JSON: the backslash meant itself.
        _ => {
            out.push_str("\\\\");
            0
        }
    }
}

/// Writes the number or word that `text` begins with, as JSON has it, and gives its length.
fn word(text: &str, out: &mut String) -> usize {
    let end = text
        .find(|character: char| !(character.is_ascii_alphanumeric() || "+-._".contains(character)))
        .unwrap_or(text.len());
    let word = text.get(..end).unwrap_or_default();
    let endless = word.parse::<f64>().is_ok_and(|number| !number.is_finite());
    out.push_str(match word {
        "True" => "true",
        "False" => "false",
        "None" | "undefined" => "null",
        _ if endless => "null",
        _ => word,
    });
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &[u8]) -> Option<String> {
        parse(text).map(|value| value.to_string())
    }

    #[test]
    fn what_is_almost_right_is_read() {
        let whole = r#"{"a":"\ud83d\ude00","b":[1,null,true]}"#;
        assert_eq!(parse(whole.as_bytes()), serde_json::from_str(whole).ok());
        for (text, mended) in [
            (&br#"{"a":"x \ud83d y"}"#[..], "{\"a\":\"x \u{FFFD} y\"}"),
            (
                br#"{"a":"\udc36","b":"\ud83d\ude00 \ud83d"}"#,
                "{\"a\":\"\u{FFFD}\",\"b\":\"\u{1F600} \u{FFFD}\"}",
            ),
            (
                br#"{"a":1e999,"b":NaN,"c":-Infinity,"d":None}"#,
                r#"{"a":null,"b":null,"c":null,"d":null}"#,
            ),
            (b"{\"a\":\"one\ntwo\tthree\"}", r#"{"a":"one\ntwo\tthree"}"#),
            (b"{\"a\":\"caf\xC3\xA9 \xFF\"}", "{\"a\":\"caf\u{e9} \u{FFFD}\"}"),
            (b"{\"a\":\"caf\xE9\"}", "{\"a\":\"caf\u{e9}\"}"),
            (br#"{"a":"C:\my \u12"}"#, r#"{"a":"C:\\my \\u12"}"#),
        ] {
            assert_eq!(shown(text).as_deref(), Some(mended));
        }
        for text in [&b"{"[..], b"{\"a\"", b"{a:1}", b"", b"\"", b"[1,]"] {
            assert_eq!(shown(text), None);
        }
    }
}
