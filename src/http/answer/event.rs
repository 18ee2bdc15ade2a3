use serde_json::Value;

use super::piece::Piece;
use crate::decode::{Finish, Report};
use crate::wire::Usage;

/// What happens in the answers to a request, whichever API it came by. Each answer begins, goes on and finishes, several of them at the
/// same time, and the end comes after all of them.
pub enum AnswerEvent {
    /// An answer begins.
    Begin {
        /// The first is 0.
        index: usize,
        /// Tokens of its prompt.
        prompt_tokens: u64,
        /// How its tokens are picked, where that was asked for.
        settings: Option<Value>,
    },
    /// More of it is certain.
    More {
        /// Of which.
        index: usize,
        /// What.
        piece: Piece,
    },
    /// It is complete.
    Finish {
        /// Which.
        index: usize,
        /// Why it ended.
        finish: Finish,
        /// The text that ended it, where the request named one that did.
        stop: Option<String>,
        /// What it cost.
        report: Report,
    },
    /// All are.
    End {
        /// Tokens of all of them.
        usage: Usage,
        /// What they cost together.
        report: Report,
    },
}
