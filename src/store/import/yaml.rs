//! YAML as it is written, without a guess whether "no" is a word or a truth.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A text, a number, a date: what stands there. Nothing and `null` are the empty text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values in their order.
    Map(Vec<(Node, Node)>),
}

/// The deepest nesting that is read.
const DEEPEST: usize = 16;
/// The most values that are read.
const MOST: usize = 10_000;

/// The first document in `text`; `None` where it is no YAML, or too much of it. What an alias stands for is left out.
pub fn read(text: &str) -> Option<Node> {
    let mut parser = Parser::new_from_str(text);
    let mut events = Events {
        parser: &mut parser,
        left: MOST,
    };
    loop {
        match events.next()? {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            first => {
                let node = events.node(first, 0)?;
                // Only a whole document is one: an error after the first value would go unnoticed.
                return matches!(events.next()?, Event::DocumentEnd)
                    .then_some(node)
                    .filter(|_| matches!(events.next(), Some(Event::StreamEnd)));
            }
        }
    }
}

struct Events<'p, 'i> {
    parser: &'p mut Parser<'i, saphyr_parser::StrInput<'i>>,
    left: usize,
}

impl<'i> Events<'_, 'i> {
    fn next(&mut self) -> Option<Event<'i>> {
        self.left = self.left.checked_sub(1)?;
        let (event, _) = self.parser.next_event()?.ok()?;
        Some(event)
    }

    fn node(&mut self, event: Event<'i>, depth: usize) -> Option<Node> {
        if depth > DEEPEST {
            return None;
        }
        match event {
            Event::Scalar(text, style, ..) => Some(Node::Text(if style == saphyr_parser::ScalarStyle::Plain {
                plain(text)
            } else {
                text.into_owned()
            })),
            Event::Alias(_) => Some(Node::Text(String::new())),
            Event::SequenceStart(..) => {
                let mut list = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => return Some(Node::List(list)),
                        event => list.push(self.node(event, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut map = Vec::new();
                loop {
                    match self.next()? {
                        Event::MappingEnd => return Some(Node::Map(map)),
                        event => {
                            let key = self.node(event, depth + 1)?;
                            let value = self.next()?;
                            map.push((key, self.node(value, depth + 1)?));
                        }
                    }
                }
            }
            _ => None,
        }
    }
}

fn plain(text: Cow<'_, str>) -> String {
    match text.as_ref() {
        "~" | "null" | "Null" | "NULL" => String::new(),
        _ => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_there_is_kept() {
        let text = |text: &str| Node::Text(text.to_owned());
        assert_eq!(
            read("a: no\nb: [007, \"x: y\"]\nc: >\n  one\n  two\nd:\n"),
            Some(Node::Map(vec![
                (text("a"), text("no")),
                (text("b"), Node::List(vec![text("007"), text("x: y")])),
                (text("c"), text("one two\n")),
                (text("d"), text("")),
            ]))
        );
    }

    #[test]
    fn what_is_no_yaml_is_nothing() {
        for text in [
            "a: [",
            "a: b: c",
            "",
            &"[".repeat(100),
            &format!("a: [{}]", "x,".repeat(20_000)),
        ] {
            assert_eq!(read(text), None, "{text:.20}");
        }
    }
}
