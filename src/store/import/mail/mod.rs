//! Mail: mailboxes and single messages, as programs keep and export them.

mod block;
mod flowed;
pub mod mbox;
mod message;
mod own_words;
mod phrases;

use std::io::{BufRead, Read};

use zeroize::Zeroizing;

use self::mbox::Messages;
use super::file::{Entries, File, until_fatal};
use super::format::ending;
use super::{ImportError, Place};

/// The largest single message that is read, in bytes. Most of it may be pictures.
const MOST_BYTES: u64 = 256 << 20;

/// The messages in `file`.
///
/// # Errors
/// An [`ImportError`] where it is no mail.
pub fn entries(mut file: File) -> Result<Entries, ImportError> {
    let unreadable = |error| ImportError::unreadable(&file.path, error);
    mbox::skip_blank_lines(&mut file.source).map_err(unreadable)?;
    let begin = file.source.fill_buf().map_err(unreadable)?;
    if mbox::begins(begin) || begin.is_empty() {
        return Ok(mailbox(file));
    }
    let apple = ending(&file.path) == "emlx";
    if !apple && !mbox::is_header(begin.split(|byte| *byte == b'\n').next().unwrap_or_default()) {
        return Err(ImportError::Unfit {
            path: file.path,
            reason: "is no mail: a mailbox begins with \"From \" and a date, and a message with its head; export the mail as mbox",
        });
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.source
        .by_ref()
        .take(MOST_BYTES)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    // Apple's messages have their length before them, and what the program knows of them behind.
    let message = if apple { mbox::apples(&bytes) } else { &bytes };
    let read = message::read(message, &file.wanted).map_err(|fault| file.error(Place::File, fault));
    Ok(Box::new(std::iter::once(read)))
}

fn mailbox(file: File) -> Entries {
    let File {
        path, source, wanted, ..
    } = file;
    let mut messages = Messages::new(source);
    let mut number = 0;
    until_fatal(std::iter::from_fn(move || {
        let contents = match messages.next()? {
            Ok(contents) => contents,
            Err(error) => return Some(Err(ImportError::unreadable(&path, error))),
        };
        number += 1;
        let read = message::read(&contents, &wanted);
        Some(read.map_err(|fault| ImportError::entry(&path, Place::Message(number), fault)))
    }))
}
