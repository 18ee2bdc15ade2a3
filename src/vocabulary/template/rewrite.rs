//! Rewriting what chat templates may say and minijinja does not know into what it does.

use super::dicts;
use super::loops::Loops;
use super::scan::{Piece, pieces};

/// `source` in words that minijinja knows: marks of what the assistant says (`{% generation %}`) become blocks without an effect,
/// loops that are left early count whether they are still on, and dictionaries keep the order in which they are written.
pub fn rewritten(source: &str) -> String {
    let source = source.replace("\r\n", "\n");
    let pieces = pieces(&source);
    let mut loops = Loops::of(&pieces);
    let mut written = String::with_capacity(source.len() + source.len() / 8);
    for piece in pieces {
        match piece {
            Piece::Text(text) => written.push_str(text),
            Piece::Expression(whole) => written.push_str(&dicts::ordered(whole)),
            Piece::Statement(tag) => {
                let tag_text = match tag.keyword() {
                    "generation" => tag.saying("with"),
                    "endgeneration" => tag.saying("endwith"),
                    _ => [tag.opening, &dicts::ordered(tag.inner), tag.closing].concat(),
                };
                loops.write(&tag, tag_text, &mut written);
            }
        }
    }
    written
}
