//! Loops that are left early: `{% break %}` and `{% continue %}`.

use super::scan::{Piece, Tag, end_of_string};

/// Writes loops with these words as loops without them.
///
/// A loop gets a note of whether it is still on, and whether its present round is. What follows a `break` or a `continue`, up to
/// the end of the loop's body, is written only while the round is on.
pub struct Loops {
    /// For each loop of the source, in the order in which they begin, whether it is left early.
    left_early: Vec<bool>,
    /// How many loops have begun.
    begun: usize,
    blocks: Vec<Block>,
}

/// A block that has begun and not ended.
struct Block {
    /// The loop's number, for a loop that is left early; `None` for other loops.
    is_loop: Option<Option<usize>>,
    /// Conditions that were opened in it and must be closed before it ends.
    conditions: usize,
    /// The loop that something in it leaves, whose rest depends on that.
    leaves: Option<usize>,
}

impl Loops {
    /// Looks at which loops of the source are left early.
    pub fn of(pieces: &[Piece]) -> Self {
        let (mut left_early, mut open) = (Vec::new(), Vec::new());
        for piece in pieces {
            let Piece::Statement(tag) = piece else { continue };
            match tag.keyword() {
                "for" => {
                    open.push(left_early.len());
                    left_early.push(false);
                }
                "endfor" => drop(open.pop()),
                "break" | "continue" => {
                    if let Some(innermost) = open.last() {
                        left_early[*innermost] = true;
                    }
                }
                _ => {}
            }
        }
        Self {
            left_early,
            begun: 0,
            blocks: Vec::new(),
        }
    }

    /// Appends `text`, which is what `tag` has become so far, with what its loop needs around it.
    pub fn write(&mut self, tag: &Tag, text: String, written: &mut String) {
        match tag.keyword() {
            "for" => {
                let number = self.begun;
                self.begun += 1;
                let early = self.left_early.get(number).copied().unwrap_or(false);
                self.blocks.push(Block {
                    is_loop: Some(early.then_some(number)),
                    conditions: usize::from(early),
                    leaves: None,
                });
                if early {
                    let note = format!("set {} = namespace(on=true, round=true)", note(number));
                    written.push_str(&tag.saying(&note));
                }
                written.push_str(&text);
                if early {
                    written.push_str(&tag.saying(&format!("set {0}.round = {0}.on", note(number))));
                    written.push_str(&tag.saying(&format!("if {}.round", note(number))));
                }
            }
            word if begins_block(word, tag.inner) => {
                self.blocks.push(Block {
                    is_loop: None,
                    conditions: 0,
                    leaves: None,
                });
                written.push_str(&text);
            }
            "elif" | "else" => {
                self.close_conditions(tag, written);
                written.push_str(&text);
            }
            word if word.starts_with("end") => {
                self.close_conditions(tag, written);
                written.push_str(&text);
                let ended = self.blocks.pop();
                // What another block than a loop leaves, the rest of the block around it depends on.
                if let Some(number) = ended.and_then(|block| block.leaves.filter(|_| block.is_loop.is_none())) {
                    self.depend_on(tag, number, written);
                }
            }
            word @ ("break" | "continue") => {
                let innermost = self.blocks.iter().rev().find_map(|block| block.is_loop).flatten();
                match innermost {
                    Some(number) => {
                        if word == "break" {
                            written.push_str(&tag.saying(&format!("set {}.on = false", note(number))));
                        }
                        written.push_str(&tag.saying(&format!("set {}.round = false", note(number))));
                        self.depend_on(tag, number, written);
                    }
                    None => written.push_str(&text),
                }
            }
            _ => written.push_str(&text),
        }
    }

    /// Makes the rest of the innermost block depend on whether the loop's round is on.
    fn depend_on(&mut self, tag: &Tag, number: usize, written: &mut String) {
        if let Some(block) = self.blocks.last_mut() {
            block.conditions += 1;
            block.leaves = Some(number);
            written.push_str(&tag.saying(&format!("if {}.round", note(number))));
        }
    }

    fn close_conditions(&mut self, tag: &Tag, written: &mut String) {
        if let Some(block) = self.blocks.last_mut() {
            for _ in 0..std::mem::take(&mut block.conditions) {
                written.push_str(&tag.saying("endif"));
            }
        }
    }
}

/// Whether a statement begins a block that an `end…` ends; loops apart.
fn begins_block(keyword: &str, statement: &str) -> bool {
    match keyword {
        "if" | "with" | "generation" | "filter" | "call" | "macro" | "block" | "autoescape" => true,
        "set" => !assigns(statement),
        _ => false,
    }
}

/// Whether a `set` has its value with it.
fn assigns(statement: &str) -> bool {
    let bytes = statement.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b'=' if depth == 0 => return true,
            quote @ (b'"' | b'\'') => at = end_of_string(bytes, at, *quote).unwrap_or(bytes.len()),
            _ => {}
        }
        at += 1;
    }
    false
}

fn note(number: usize) -> String {
    format!("__loop{number}")
}
