//! Parting a mailbox into its messages.

use std::io::{BufRead, Error, Read, Result};

use zeroize::Zeroizing;

use crate::store::import::source::Source;

/// What every message of a mailbox begins with.
const FROM: &[u8] = b"From ";
/// How much is read at a time, in bytes.
const PIECE: usize = 64 << 10;
/// The largest message whose head says how long it is, and is believed.
const MOST_LENGTH: usize = 64 << 20;
/// How far a line that begins a message is looked at.
const MOST_LINE: usize = 300;
/// Bytes of a message, at most.
const MOST_MESSAGE: usize = 256 << 20;

/// Whether a mailbox begins like this.
pub fn begins(bytes: &[u8]) -> bool {
    let blank = bytes.iter().take_while(|byte| b"\r\n".contains(byte)).count();
    let bytes = bytes.get(blank..).unwrap_or_default();
    separates(bytes, true)
}

/// Passes over blank lines.
pub fn skip_blank_lines(source: &mut Source) -> Result<()> {
    loop {
        let bytes = source.fill_buf()?;
        let blank = bytes.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        if blank == 0 {
            return Ok(());
        }
        source.consume(blank);
    }
}

/// Whether `line` is a field of a message's head.
pub fn is_header(line: &[u8]) -> bool {
    let name = line
        .iter()
        .take_while(|byte| (b'!'..=b'~').contains(byte) && **byte != b':')
        .count();
    name > 0 && line.get(name).is_some_and(|byte| *byte == b':')
}

/// Whether the text begins with a line that begins a message: it has a date, or stands after a blank line and says little else, and the
/// next line is a head's. People begin sentences with "From", too.
fn separates(text: &[u8], after_blank: bool) -> bool {
    if !text.starts_with(FROM) {
        return false;
    }
    let mut lines = text.splitn(3, |byte| *byte == b'\n');
    let line = lines.next().unwrap_or_default();
    let next = lines.next().unwrap_or_default();
    let Ok(said) = std::str::from_utf8(line.get(FROM.len()..).unwrap_or_default()) else {
        return false;
    };
    let words: Vec<&str> = said.split_whitespace().collect();
    let headed = is_header(next) || next.starts_with(b">From ");
    if is_date(&words) {
        // A body may quote such a line after a blank one, but then no head follows.
        return headed || next.trim_ascii().is_empty();
    }
    let bare = match words[..] {
        [] => true,
        [word] => word == "-" || word.contains('@'),
        _ => false,
    };
    after_blank && bare && headed
}

/// Whether the words have a time of day, a year and the name of a day or month, as in "ada@example.com Wed May  1 10:00:00 2024".
fn is_date(words: &[&str]) -> bool {
    let time = |word: &&str| {
        let parts: Vec<&str> = word.split(':').collect();
        parts.len() >= 2 && parts.iter().all(|part| part.len() <= 2 && part.parse::<u8>().is_ok())
    };
    let year = |word: &&str| word.len() == 4 && word.parse::<u16>().is_ok_and(|year| (1970..2200).contains(&year));
    let named = |word: &&str| {
        let begin: String = word.chars().take(3).flat_map(char::to_lowercase).collect();
        NAMES.contains(&begin.as_str())
    };
    words.iter().any(time) && words.iter().any(year) && words.iter().filter(|word| named(word)).count() >= 1
}

const NAMES: [&str; 19] = [
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep",
    "oct", "nov", "dec",
];

/// The messages of a mailbox, without the line that begins each, and with lines that begin with ">From " as they were before.
pub struct Messages {
    source: Source,
    /// What has been read and not handed out.
    ahead: Zeroizing<Vec<u8>>,
    over: bool,
}

impl Messages {
    /// The messages in `source`.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            ahead: Zeroizing::default(),
            over: false,
        }
    }

    /// Reads on until there are `bytes` ahead, or no more.
    fn look(&mut self, bytes: usize) -> Result<()> {
        while !self.over && self.ahead.len() < bytes {
            let read = self.source.by_ref().take(PIECE as u64).read_to_end(&mut self.ahead)?;
            self.over = read == 0;
        }
        Ok(())
    }

    fn line_end(&mut self, begin: usize) -> Result<usize> {
        let mut at = begin;
        loop {
            let rest = self.ahead.get(at..).unwrap_or_default();
            if let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
                return Ok(at + length + 1);
            }
            at = self.ahead.len();
            if self.over {
                return Ok(at);
            }
            self.look(at + PIECE)?;
        }
    }

    /// Where the message that begins at 0 ends, and whether its head has told.
    fn end(&mut self) -> Result<(usize, bool)> {
        let (mut at, mut blank) = (self.line_end(0)?, false);
        let (mut length, mut body) = (None, None);
        loop {
            let next = self.line_end(at)?;
            if next == at {
                return Ok((at, false));
            }
            if at > MOST_MESSAGE {
                return Err(Error::other("a message in it is longer than 256 MiB"));
            }
            self.look(at + MOST_LINE * 2)?;
            let rest = self.ahead.get(at..).unwrap_or_default();
            if separates(rest, blank) {
                return Ok((at, false));
            }
            let line = self.ahead.get(at..next).unwrap_or_default().trim_ascii();
            blank = line.is_empty();
            if body.is_none() {
                length = length.or_else(|| content_length(line));
                if blank {
                    body = Some(next);
                    if let Some(end) = length.map(|length| next + length)
                        && self.ends_at(end)?
                    {
                        return Ok((end, true));
                    }
                }
            }
            at = next;
        }
    }

    /// Whether a message that ends there is followed by another one, or nothing.
    fn ends_at(&mut self, end: usize) -> Result<bool> {
        self.look(end + MOST_LINE)?;
        let Some(rest) = self.ahead.get(end..) else {
            return Ok(false);
        };
        let blank = rest.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        let rest = rest.get(blank..).unwrap_or_default();
        Ok(rest.is_empty() || separates(rest, true))
    }
}

fn content_length(line: &[u8]) -> Option<usize> {
    let (name, value) = line.split_at_checked(b"content-length:".len())?;
    let length: usize = std::str::from_utf8(value).ok()?.trim().parse().ok()?;
    (name.eq_ignore_ascii_case(b"content-length:") && length <= MOST_LENGTH).then_some(length)
}

impl Iterator for Messages {
    type Item = Result<Zeroizing<Vec<u8>>>;

    fn next(&mut self) -> Option<Self::Item> {
        let cut = (|| {
            self.look(MOST_LINE)?;
            let blank = self.ahead.iter().take_while(|byte| b"\r\n".contains(byte)).count();
            self.ahead.drain(..blank);
            if self.ahead.is_empty() && !self.over {
                self.look(1)?;
            }
            if self.ahead.is_empty() {
                return Ok(None);
            }
            let (end, told) = self.end()?;
            let message: Zeroizing<Vec<u8>> = Zeroizing::new(self.ahead.drain(..end).collect());
            let head = message
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(message.len(), |end| end + 1);
            Ok(Some(unescaped(message.get(head..).unwrap_or_default(), told)))
        })();
        if cut.is_err() {
            self.over = true;
            self.ahead.clear();
        }
        cut.transpose()
    }
}

/// The message as its sender wrote it: programs put ">" before "From " at the beginning of a line, but not those whose heads tell the length.
fn unescaped(message: &[u8], told: bool) -> Zeroizing<Vec<u8>> {
    let as_it_was = told && message.split(|byte| *byte == b'\n').any(|line| line.starts_with(FROM));
    if as_it_was {
        return Zeroizing::new(message.to_vec());
    }
    let mut whole = Zeroizing::new(Vec::with_capacity(message.len()));
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        let marks = line.iter().take_while(|byte| **byte == b'>').count();
        let escaped = marks > 0 && line.get(marks..).is_some_and(|rest| rest.starts_with(FROM));
        whole.extend_from_slice(line.get(usize::from(escaped)..).unwrap_or_default());
    }
    whole
}

/// The message in a file of Apple's.
pub fn apples(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or_default();
    let length = bytes
        .get(..end)
        .and_then(|line| std::str::from_utf8(line).ok()?.trim().parse::<usize>().ok());
    let message = length.and_then(|length| bytes.get(end + 1..(end + 1).checked_add(length)?));
    message.unwrap_or(bytes)
}
