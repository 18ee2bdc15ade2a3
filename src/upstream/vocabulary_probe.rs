//! Whether a server's model has our vocabulary, by what it makes of texts and of names.

use super::{Caller, Upstream};
use crate::vocabulary::{TokenId, Tokenizer};

/// A public text with whatever vocabularies treat differently: spaces, numbers, accents, code, other scripts, characters of several
/// tokens.
pub const PROBE: &str = "The 42 quick foxes said:\n\t\"na\u{EF}ve caf\u{E9}\" \u{2013} \u{65E5}\u{672C}\u{8A9E} \u{1F642}, isn't it? \
                         In 9876543 of 3.14 cases    def f(x): return x**2  # \u{41F}\u{440}\u{438}\u{432}\u{435}\u{442}, \
                         \u{645}\u{631}\u{62D}\u{628}\u{627}, \u{C548}\u{B155}, e\u{301}\n\n WE'LL see snake_case_name and https://example.com/?q=1";

/// Names of special tokens that one of two models of a family may lack.
const NAMES: [&str; 12] = [
    "<|im_start|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<end_of_turn>",
    "<|end|>",
    "<|channel|>",
    "<think>",
    "</think>",
    "[THINK]",
    "<tool_call>",
    "</tool_call>",
    "[TOOL_CALLS]",
];
/// Special tokens that are compared one by one where they differ together. Beyond these, vocabularies list reserved ones.
const MOST_NAMES: usize = 64;

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

/// A special token that the server's model has with another id than ours, in words; `None` where there is none, or where the server
/// cannot be asked.
pub async fn other_special(upstream: &dyn Upstream, tokenizer: &Tokenizer, caller: &Caller) -> Option<String> {
    let own = tokenizer.specials().take(MOST_NAMES);
    let mut names: Vec<String> = own.map(|id| tokenizer.name(id)).collect();
    names.extend(NAMES.iter().map(|name| (*name).to_owned()));
    names.sort_unstable();
    names.dedup();
    let together = names.concat();
    let theirs = upstream.tokenize(&together, caller).await.ok()??;
    if tokenizer.encode(&together).is_ok_and(|ours| ours == theirs) {
        return None;
    }
    // Servers that spell names out say nothing about them, so that each counts by itself.
    for name in names {
        let theirs = upstream.tokenize(&name, caller).await.ok()??;
        let ours = tokenizer.encode(&name).unwrap_or_default();
        if let [only] = theirs.as_slice()
            && theirs != ours
        {
            let here = match ours.as_slice() {
                [own] => format!("{} here", own.0),
                _ => "none here".to_owned(),
            };
            return Some(format!("its token {name:?} has the id {}, and {here}", only.0));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn ids_are_read_as_the_text_or_as_another() {
        let tokenizer = Tokenizer::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/llm")).unwrap();
        let ids = tokenizer.encode(PROBE).unwrap();
        assert_eq!(read(&tokenizer, PROBE, &ids), Reading::Same);
        let each: Vec<TokenId> = PROBE.bytes().map(|byte| tokenizer.token_of(&[byte]).unwrap()).collect();
        assert_eq!(read(&tokenizer, PROBE, &each), Reading::OtherwiseCut);
        let shifted: Vec<TokenId> = ids.iter().map(|id| TokenId(id.0 + 1)).collect();
        assert!(matches!(read(&tokenizer, PROBE, &shifted), Reading::Other(_)));
    }
}
