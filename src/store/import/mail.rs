use std::io::BufRead;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mail_parser::mailbox::mbox::MessageIterator;
use mail_parser::{Address, MessageParser};
use zeroize::Zeroizing;

use super::entry::{checked, one_line};
use super::source::Source;
use super::{Entry, Fault, ImportError, Place};
use crate::store::{Document, PrivateText};

/// What a mailbox, and every message in it, begins with.
pub const BEGIN: &[u8] = b"From ";

/// The messages of a mailbox.
pub struct Mailbox {
    path: PathBuf,
    messages: MessageIterator<Source>,
    /// The number of the message last read.
    number: u64,
}

impl Mailbox {
    /// Reads `source`, which is called `path` in errors.
    pub fn open(path: &Path, mut source: Source) -> Result<Self, ImportError> {
        let begin = source
            .fill_buf()
            .map_err(|error| ImportError::unreadable(path, error))?;
        if !begin.is_empty() && !begin.starts_with(BEGIN) {
            let reason = "is no mailbox, which begins with \"From \" and a sender; export the mail as mbox";
            return Err(ImportError::Unfit {
                path: path.to_owned(),
                reason,
            });
        }
        Ok(Self {
            path: path.to_owned(),
            messages: MessageIterator::new(source),
            number: 0,
        })
    }
}

impl Iterator for Mailbox {
    type Item = Result<Entry, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let contents = match self.messages.next()? {
                Ok(message) => Zeroizing::new(message.unwrap_contents()),
                Err(error) => return Some(Err(ImportError::unreadable(&self.path, error))),
            };
            self.number += 1;
            match read(&contents) {
                Ok(None) => {}
                Ok(Some(document)) => return Some(Ok(Entry::Document(None, document))),
                Err(fault) => {
                    let place = Place::Message(self.number);
                    return Some(Err(ImportError::entry(&self.path, place, fault)));
                }
            }
        }
    }
}

/// The message, unless it has no text.
fn read(contents: &[u8]) -> Result<Option<Document>, Fault> {
    let message = MessageParser::default().parse(contents).ok_or(Fault::NotAMessage)?;
    if message.from().is_none() && message.date().is_none() {
        return Err(Fault::NotAMessage);
    }
    let parts: Vec<_> = (0..message.text_body_count())
        .filter_map(|part| message.body_text(part))
        .collect();
    let text = PrivateText::from(own_words(&Zeroizing::new(parts.join("\n\n"))));
    if text.is_blank() {
        return Ok(None);
    }
    let time = message
        .date()
        .filter(|date| date.is_valid())
        .map(mail_parser::DateTime::to_timestamp);
    let sender = message
        .from()
        .and_then(Address::first)
        .and_then(mail_parser::Addr::address);
    checked(Document {
        key: message.message_id().unwrap_or_default().into(),
        title: one_line(message.subject().unwrap_or_default()).into(),
        text,
        time: time.and_then(|seconds| Timestamp::from_second(seconds).ok()),
        source: sender.unwrap_or_default().into(),
        tags: Vec::new(),
    })
    .map(Some)
}

/// `text` without the lines it quotes, and without the lines that say whom.
fn own_words(text: &str) -> String {
    let mut own: Vec<&str> = Vec::new();
    let mut quoting = false;
    for line in text.lines() {
        let quoted = line.starts_with('>');
        if quoted && !quoting {
            trim_blank(&mut own);
            own.truncate(own.len() - introduction(&own));
            trim_blank(&mut own);
        }
        if !quoted {
            own.push(line);
        }
        quoting = quoted;
    }
    own.join("\n").trim().to_owned()
}

fn trim_blank(lines: &mut Vec<&str>) {
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
}

/// How many lines at the end of `lines` say when somebody wrote what comes next: "On 1 May, Ada <ada@example.com>",
/// "wrote:".
fn introduction(lines: &[&str]) -> usize {
    let names = |line: &str| line.contains('@') || line.contains(|character: char| character.is_ascii_digit());
    match lines {
        [.., last] if last.trim_end().ends_with(':') && names(last) => match lines {
            [.., before, _] if before.starts_with("On ") && !before.trim_end().ends_with(['.', '!', '?', ':']) => 2,
            _ => 1,
        },
        [.., before, last]
            if last.trim_end().ends_with(':') && names(before) && last.split_whitespace().count() <= 2 =>
        {
            2
        }
        _ => 0,
    }
}
