//! Chats of WhatsApp, which it exports as text.

use std::io::Read;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::entry::entry;
use super::file::{Entries, File};
use super::{Entry, Fault, Place, Wanted, encoding, place, times};
use crate::store::Document;

/// The largest chat that is read, in bytes.
const MOST_BYTES: u64 = 256 << 20;

/// Whether a text begins like a chat: two of its first lines have a date, a time and a name or a notice.
pub fn begins(bytes: &[u8]) -> bool {
    let begin = bytes.get(..bytes.len().min(4096)).unwrap_or_default();
    let text = String::from_utf8_lossy(begin);
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().and_then(head);
    first.is_some() && (lines.any(|line| head(line).is_some()) || first.is_some_and(|(_, rest)| rest.contains(": ")))
}

/// The day in the head of a line, and what comes after it.
fn head(line: &str) -> Option<(String, &str)> {
    let line = line.trim_start_matches(['\u{200E}', '\u{200F}', '\u{FEFF}', '\u{202A}']);
    // "[01.05.24, 12:00:00] Ada: Hello", or "01.05.24, 12:00 - Ada: Hello".
    let (stamp, rest) = match line.strip_prefix('[') {
        Some(line) => line.split_once(']')?,
        None => line.split_once(" - ")?,
    };
    let stamp = stamp.trim();
    let plain = stamp.len() <= 32 && stamp.starts_with(|first: char| first.is_ascii_digit());
    let timed = stamp.split([' ', ',', '\u{202F}']).skip(1).any(|part| {
        let mut numbers = part.split([':', '.']);
        part.contains([':', '.'])
            && numbers.clone().count() >= 2
            && numbers.all(|number| number.len() <= 2 && number.parse::<u8>().is_ok())
    });
    let day: String = stamp
        .chars()
        .take_while(|character| character.is_ascii_digit() || "./-".contains(*character))
        .collect();
    let parts = day.split(['.', '/', '-']).filter(|part| !part.is_empty()).count();
    (plain && timed && parts == 3).then_some((day, rest.trim_start()))
}

/// A message.
struct Said {
    day: String,
    who: String,
    text: Zeroizing<String>,
}

/// What the owner has written in the chat, in a document for each day.
pub fn entries(mut file: File) -> Entries {
    match chat(&mut file) {
        Ok(entries) => Box::new(
            entries
                .into_iter()
                .map(move |read| read.map_err(|fault| file.error(Place::File, fault))),
        ),
        Err(fault) => Box::new(std::iter::once(Err(file.error(Place::File, fault)))),
    }
}

fn chat(file: &mut File) -> Result<Vec<Result<Entry, Fault>>, Fault> {
    let mut bytes = Zeroizing::new(Vec::new());
    file.source
        .by_ref()
        .take(MOST_BYTES)
        .read_to_end(&mut bytes)
        .map_err(Fault::Unreadable)?;
    let text = encoding::decode(&bytes).ok_or(Fault::NotText)?;
    let said = messages(&text);
    let me = owner(&said, file)?;
    let month_first = said
        .iter()
        .any(|message| numbers(&message.day).is_some_and(|[_, second, _]| second > 12));
    let mut days: Vec<(String, Vec<String>)> = Vec::new();
    for message in &said {
        let own = me.contains(&message.who);
        if !own && !file.wanted.everyone {
            continue;
        }
        let line = if file.wanted.everyone {
            format!("{}: {}", message.who, message.text.as_str())
        } else {
            message.text.to_string()
        };
        match days.last_mut() {
            Some((day, lines)) if *day == message.day => lines.push(line),
            _ => days.push((message.day.clone(), vec![line])),
        }
    }
    let documents = days.into_iter().enumerate().map(|(index, (day, lines))| {
        entry(Document {
            key: place::key_of(&file.place, &format!("{day} {index}")),
            title: place::title(&file.path).into(),
            text: lines.join("\n").into(),
            time: date(&day, month_first),
            source: "whatsapp".into(),
            tags: Vec::new(),
        })
    });
    Ok(documents.collect())
}

/// The messages of people. Lines without a head go on with the message before, and notices have no name.
fn messages(text: &str) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    let mut notice = false;
    for line in text.lines() {
        match head(line) {
            Some((day, rest)) => match rest.trim_start_matches('\u{200E}').split_once(": ") {
                Some((who, text)) if who.chars().count() <= 60 => {
                    notice = is_placeholder(text);
                    if !notice {
                        said.push(Said {
                            day,
                            who: who
                                .trim_matches(['\u{200E}', '\u{202A}', '\u{202C}', '~', ' ', '\u{A0}', '\u{202F}'])
                                .to_owned(),
                            text: Zeroizing::new(text.to_owned()),
                        });
                    }
                }
                _ => notice = true,
            },
            None if notice => {}
            None => {
                if let Some(last) = said.last_mut() {
                    last.text.push('\n');
                    last.text.push_str(line);
                }
            }
        }
    }
    said
}

/// What stands for a picture or a message that was taken back.
fn is_placeholder(text: &str) -> bool {
    let text = text.trim_matches(['\u{200E}', ' ']);
    (text.starts_with('<') && text.ends_with('>'))
        || matches!(text, "This message was deleted" | "You deleted this message" | "null")
        || text.ends_with(" omitted") && text.split(' ').count() <= 3
}

/// How the chat calls the owner: as was said, or as the one of two who does not give the file its name.
fn owner(said: &[Said], file: &File) -> Result<Vec<String>, Fault> {
    let wanted: &Wanted = &file.wanted;
    let mut names: Vec<&str> = said.iter().map(|message| message.who.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let mine: Vec<String> = names
        .iter()
        .filter(|name| wanted.is_me(name))
        .map(|name| (*name).to_owned())
        .collect();
    if !mine.is_empty() || wanted.everyone || said.is_empty() {
        return Ok(mine);
    }
    let path = file.path.to_string_lossy();
    let called: String = path.rsplit('/').take(2).collect::<Vec<_>>().join(" ");
    match names[..] {
        [one, other] if called.contains(one) && !called.contains(other) => Ok(vec![other.to_owned()]),
        [one, other] if called.contains(other) && !called.contains(one) => Ok(vec![one.to_owned()]),
        _ => Err(Fault::Nobody),
    }
}

fn numbers(day: &str) -> Option<[u16; 3]> {
    let mut parts = day.split(['.', '/', '-']).filter_map(|part| part.parse().ok());
    Some([parts.next()?, parts.next()?, parts.next()?])
}

/// A day as the telephone's language has it: the month comes first only where some day of the chat says so.
fn date(day: &str, month_first: bool) -> Option<Timestamp> {
    let [first, second, third] = numbers(day)?;
    let (year, month, day) = match () {
        () if first > 31 => (first, second, third),
        () if month_first => (third, first, second),
        () => (third, second, first),
    };
    let year = if year < 100 { year + 2000 } else { year };
    times::written(&format!("{year:04}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chats_are_told_from_notes() {
        assert!(begins(
            "[01.05.24, 12:00:00] Ada: Hello\n[01.05.24, 12:01:00] Bob: Hi".as_bytes()
        ));
        assert!(begins(
            "5/1/24, 12:00\u{202F}PM - Messages are encrypted.\n5/1/24, 12:00 PM - Ada: Hello".as_bytes()
        ));
        for text in [
            "Dear diary - hello",
            "01.05.24 - I went out: rain",
            "[x] task\n[ ] task",
            "2024 - a year",
        ] {
            assert!(!begins(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn lines_go_on_and_days_are_read() {
        let said = messages(
            "1/5/24, 12:00 - Notice\nmore\n1/5/24, 12:00 - Ada: One\ntwo\n1/5/24, 12:01 - Bob: <Media omitted>\n1/5/24, 12:02 - Ada: three",
        );
        let texts: Vec<_> = said.iter().map(|message| message.text.as_str()).collect();
        assert_eq!(texts, ["One\ntwo", "three"]);
        assert_eq!(date("1/5/24", false), times::written("2024-05-01"));
        assert_eq!(date("5/31/24", true), times::written("2024-05-31"));
        assert_eq!(date("2024-05-31", false), times::written("2024-05-31"));
    }
}
