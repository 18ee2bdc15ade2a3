use jiff::Timestamp;
use mail_parser::{Address, Message, MessageParser, MimeHeaders, PartType};
use zeroize::Zeroizing;

use super::{flowed, own_words};
use crate::store::Document;
use crate::store::import::entry::{Skip, entry, one_line};
use crate::store::import::{Entry, Fault, Wanted, encoding, html, place};

/// What its sender has written in the message.
pub fn read(contents: &[u8], wanted: &Wanted) -> Result<Entry, Fault> {
    let message = MessageParser::default().parse(contents).ok_or(Fault::NotAMessage)?;
    if message.from().is_none() && message.date().is_none() {
        return Err(Fault::NotAMessage);
    }
    let sender = message.from().and_then(Address::first);
    let address = sender.and_then(mail_parser::Addr::address).unwrap_or_default();
    let name = sender.and_then(mail_parser::Addr::name).unwrap_or_default();
    if !wanted.me.is_empty() && !wanted.everyone && !wanted.is_me(address) && !wanted.is_me(name) {
        return Ok(Entry::Skipped(Skip::Foreign));
    }
    let mut parts: Vec<_> = message
        .text_body
        .iter()
        .filter_map(|part| text(&message, *part as usize))
        .collect();
    if parts.is_empty() {
        parts.extend(unmarked(&message));
    }
    let parts: Vec<&str> = parts
        .iter()
        .map(|part| part.as_str().trim())
        .filter(|part| !part.is_empty())
        .collect();
    let time = message
        .date()
        .filter(|date| date.is_valid())
        .map(mail_parser::DateTime::to_timestamp);
    entry(Document {
        key: place::given(message.message_id().unwrap_or_default()),
        title: one_line(message.subject().unwrap_or_default()).into(),
        text: parts.join("\n\n").into(),
        time: time.and_then(|seconds| Timestamp::from_second(seconds).ok()),
        source: address.into(),
        tags: Vec::new(),
    })
}

/// The sender's own words in a part of the message.
fn text(message: &Message<'_>, part: usize) -> Option<Zeroizing<String>> {
    let part = message.parts.get(part)?;
    let whole = match &part.body {
        PartType::Html(page) => Zeroizing::new(html::read(page).text),
        PartType::Text(text) => {
            let kind = part.content_type();
            let attribute = |name| kind.and_then(|kind| kind.attribute(name));
            // Nothing says in which encoding it is, or something untrue does.
            let text = match message
                .raw_message
                .get(part.offset_body as usize..part.offset_end as usize)
            {
                Some(raw)
                    if attribute("charset").is_none()
                        && text.contains('\u{FFFD}')
                        && std::str::from_utf8(raw).is_err() =>
                {
                    Zeroizing::new(encoding::mended(raw))
                }
                _ => Zeroizing::new(text.to_string()),
            };
            if attribute("format").is_some_and(|format| format.eq_ignore_ascii_case("flowed")) {
                let joined = attribute("delsp").is_some_and(|delete| delete.eq_ignore_ascii_case("yes"));
                Zeroizing::new(flowed::unflowed(&text, joined))
            } else {
                text
            }
        }
        _ => return None,
    };
    Some(Zeroizing::new(own_words::of(&whole)))
}

/// The text of a message that does not say well that it is one: "text" without a kind, or several parts without what stands between them.
fn unmarked(message: &Message<'_>) -> Option<Zeroizing<String>> {
    let part = message.parts.first()?;
    let kind = part.content_type()?;
    let bytes = match kind.ctype() {
        "text" => part.contents(),
        "multipart" if kind.attribute("boundary").is_none() => message
            .raw_message
            .get(part.offset_body as usize..part.offset_end as usize)?,
        _ => return None,
    };
    let text = Zeroizing::new(encoding::mended(bytes));
    Some(Zeroizing::new(own_words::of(&text)))
}
