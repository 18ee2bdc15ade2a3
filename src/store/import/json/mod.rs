//! Files of JSON: records, and the exports of chats.

mod chatgpt;
mod conversation;
pub mod elements;
pub mod mend;
mod others;
mod value;

use std::collections::VecDeque;

use self::elements::{Element, Elements};
pub use self::value::read;
use super::file::{Entries, File, until_fatal};
use super::{Fault, ImportError, Place};

/// The entries in `file`, value by value.
pub fn entries(file: File) -> Entries {
    let File {
        path,
        place,
        source,
        wanted,
        ..
    } = file;
    let mut elements = Elements::new(source);
    let mut waiting: VecDeque<value::Read> = VecDeque::new();
    let mut number = 0;
    until_fatal(std::iter::from_fn(move || {
        loop {
            if let Some((item, entry)) = waiting.pop_front() {
                let place = item.map_or(Place::Value(number), |item| Place::Item { line: number, item });
                return Some(entry.map_err(|fault| ImportError::entry(&path, place, fault)));
            }
            let element = match elements.next()? {
                Ok(element) => element,
                Err(error) => return Some(Err(ImportError::unreadable(&path, error))),
            };
            number += 1;
            let fault = match element {
                Element::Whole(bytes) => match mend::parse(&bytes) {
                    Some(value) => {
                        waiting = value::read(value, &place, &wanted).into();
                        continue;
                    }
                    None => Fault::NotAValue,
                },
                Element::CutOff => Fault::CutOff,
                Element::TooLong => Fault::TooLong,
            };
            return Some(Err(ImportError::entry(&path, Place::Value(number), fault)));
        }
    }))
}
