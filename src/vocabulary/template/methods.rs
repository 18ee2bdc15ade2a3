//! Python's methods of strings, lists and dictionaries that minijinja's own collection of them lacks.

use minijinja::value::{Kwargs, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat;

use super::json::printed;
use super::values::Dictionary;

/// Calls a method that minijinja does not know by itself.
pub fn call(state: &State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    if let Some(text) = value.as_str()
        && let Some(result) = of_text(text, method, args)
    {
        return result;
    }
    match (value.kind(), method) {
        (ValueKind::Seq, "index") => index(value, args),
        (ValueKind::Seq | ValueKind::Iterable, "copy") => Ok(value.try_iter()?.collect::<Vec<_>>().into()),
        (ValueKind::Map, "copy") => copy(value),
        _ => pycompat::unknown_method_callback(state, value, method, args),
    }
}

fn of_text(text: &str, method: &str, args: &[Value]) -> Option<Result<Value, Error>> {
    let result = match method {
        // Python says no of an empty text.
        "isupper" | "islower" | "isspace" | "isdigit" | "isnumeric" | "isalnum" | "isalpha" if text.is_empty() => {
            from_args(args).map(|()| Value::from(false))
        }
        "isdecimal" => from_args(args).map(|()| {
            let all = !text.is_empty() && text.chars().all(|next| next.is_ascii_digit());
            Value::from(all)
        }),
        "removeprefix" => from_args(args).map(|(prefix,): (&str,)| text.strip_prefix(prefix).unwrap_or(text).into()),
        "removesuffix" => from_args(args).map(|(suffix,): (&str,)| text.strip_suffix(suffix).unwrap_or(text).into()),
        "partition" => from_args(args).map(|(by,): (&str,)| match text.split_once(by) {
            Some((before, after)) => texts([before, by, after]),
            None => texts([text, "", ""]),
        }),
        "rpartition" => from_args(args).map(|(by,): (&str,)| match text.rsplit_once(by) {
            Some((before, after)) => texts([before, by, after]),
            None => texts(["", "", text]),
        }),
        "split" => split(text, args, Side::Left),
        "rsplit" => split(text, args, Side::Right),
        "zfill" => padded(args, |width| format!("{text:0>width$}")),
        "ljust" => padded(args, |width| format!("{text:<width$}")),
        "rjust" => padded(args, |width| format!("{text:>width$}")),
        "center" => padded(args, |width| format!("{text:^width$}")),
        "index" => from_args(args).and_then(|(what,): (&str,)| match text.find(what) {
            Some(byte) => Ok(text[..byte].chars().count().into()),
            None => Err(Error::new(ErrorKind::InvalidOperation, "the substring was not found")),
        }),
        "find" => from_args(args).map(|(what,): (&str,)| position(text, text.find(what))),
        "rfind" => from_args(args).map(|(what,): (&str,)| position(text, text.rfind(what))),
        "join" => from_args(args).and_then(|(parts,): (&Value,)| {
            let parts: Vec<String> = parts.try_iter()?.map(|part| printed(&part)).collect();
            Ok(parts.join(text).into())
        }),
        "casefold" => from_args(args).map(|()| text.to_lowercase().into()),
        _ => return None,
    };
    Some(result)
}

/// Characters to fill a text up to, at most: what formats texts knows no more.
const MOST_WIDTH: usize = u16::MAX as usize;

fn padded(args: &[Value], pad: impl Fn(usize) -> String) -> Result<Value, Error> {
    let (width,): (usize,) = from_args(args)?;
    if width > MOST_WIDTH {
        let message = format!("a width of {width} is more than {MOST_WIDTH}");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    Ok(pad(width).into())
}

fn texts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Value {
    parts.into_iter().map(Value::from).collect::<Vec<Value>>().into()
}

/// Python counts characters, and says -1 where there is nothing.
fn position(text: &str, byte: Option<usize>) -> Value {
    byte.map_or(Value::from(-1), |byte| text[..byte].chars().count().into())
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

impl Side {
    /// `text` without the whitespace on the side that words are cut from.
    fn trimmed(self, text: &str) -> &str {
        match self {
            Self::Left => text.trim_start(),
            Self::Right => text.trim_end(),
        }
    }
}

fn split(text: &str, args: &[Value], side: Side) -> Result<Value, Error> {
    let (by, most, options): (Option<Value>, Option<i64>, Kwargs) = from_args(args)?;
    let by = by.or(options.get("sep")?).filter(|by| !by.is_none());
    let most = most.or(options.get("maxsplit")?).unwrap_or(-1);
    options.assert_all_used()?;
    let most = usize::try_from(most).map_or(usize::MAX, |most| most.saturating_add(1));
    let Some(by) = by else {
        return Ok(words(text, most, side));
    };
    let by = by.as_str().filter(|by| !by.is_empty()).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidOperation,
            "split needs a separator that is a text and not empty",
        )
    })?;
    let parts: Vec<&str> = match side {
        Side::Left => text.splitn(most, by).collect(),
        Side::Right => {
            let mut parts: Vec<&str> = text.rsplitn(most, by).collect();
            parts.reverse();
            parts
        }
    };
    Ok(texts(parts))
}

/// Splitting by whitespace, of which any amount counts once.
fn words(text: &str, most: usize, side: Side) -> Value {
    let mut parts = Vec::new();
    let mut rest = side.trimmed(text);
    while !rest.is_empty() && parts.len() + 1 < most {
        let cut = match side {
            Side::Left => rest.split_once(char::is_whitespace),
            Side::Right => rest
                .rsplit_once(char::is_whitespace)
                .map(|(before, after)| (after, before)),
        };
        let Some((word, after)) = cut else { break };
        parts.push(word);
        rest = side.trimmed(after);
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    if matches!(side, Side::Right) {
        parts.reverse();
    }
    texts(parts)
}

fn index(list: &Value, args: &[Value]) -> Result<Value, Error> {
    let (what,): (&Value,) = from_args(args)?;
    let found = list.try_iter()?.position(|item| item == *what);
    found
        .map(Value::from)
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "the value is not in the list"))
}

fn copy(map: &Value) -> Result<Value, Error> {
    let mut entries = Vec::new();
    for key in map.try_iter()? {
        let value = map.get_item(&key)?;
        entries.push((key, value));
    }
    Ok(Dictionary::new(entries).into_value())
}
