use crate::vocabulary::{TokenId, Tokenizer};

/// A public text with whatever vocabularies treat differently: spaces, numbers, accents, other scripts, characters of several tokens.
pub const PROBE: &str =
    "The 42 quick foxes said:\n\t\"na\u{EF}ve caf\u{E9}\" \u{2013} \u{65E5}\u{672C}\u{8A9E} \u{1F642}, isn't it?";

/// How the ids in which a server writes a text read in our tokenizer.
#[derive(Debug, PartialEq, Eq)]
pub enum Reading {
    /// As we would have written it.
    Same,
    /// The text, cut into other tokens.
    OtherwiseCut,
    /// This, which is not the text.
    Other(String),
}

/// Reads a server's `ids` of `text`. Special tokens do not count as a difference, nor what a tokenizer does to every text, such as a
/// space before it.
pub fn read(tokenizer: &Tokenizer, text: &str, ids: &[TokenId]) -> Reading {
    let bytes = |ids: &[TokenId]| -> Vec<u8> {
        let each = ids.iter().flat_map(|id| tokenizer.bytes().get(*id));
        each.copied().collect()
    };
    let ours = tokenizer.encode(text).unwrap_or_default();
    let theirs = bytes(ids);
    if ours == ids {
        Reading::Same
    } else if theirs == text.as_bytes() || theirs.strip_prefix(b" ") == Some(text.as_bytes()) || theirs == bytes(&ours)
    {
        Reading::OtherwiseCut
    } else {
        Reading::Other(tokenizer.bytes().text(ids))
    }
}
