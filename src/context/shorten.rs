use std::borrow::Cow;

use crate::store::Document;
use crate::vocabulary::Tokenizer;

/// The documents, each cut after `most` tokens.
pub fn shortened(history: &[Document], tokenizer: &Tokenizer, most: usize) -> Vec<Document> {
    let short = |document: &Document| Document {
        text: cut(document.text.as_private_str(), tokenizer, most).as_ref().into(),
        ..document.clone()
    };
    history.iter().map(short).collect()
}

/// The text, or what its first `most` tokens spell, with an ellipsis after it.
fn cut<'a>(text: &'a str, tokenizer: &Tokenizer, most: usize) -> Cow<'a, str> {
    // Every token has at least one byte.
    if text.len() <= most {
        return text.into();
    }
    // And none is longer than the longest, so that more than this need not be cut into tokens.
    let enough = text.floor_char_boundary(most.saturating_mul(tokenizer.longest_token()).saturating_add(1));
    let Ok(ids) = tokenizer.encode(text.get(..enough).unwrap_or(text)) else {
        return text.into();
    };
    if ids.len() <= most {
        return text.into();
    }
    let spelled: usize = ids.iter().take(most).map(|id| tokenizer.bytes().get(*id).len()).sum();
    // A tokenizer that normalises spells a slightly different text. Its length is close enough.
    let end = (0..=spelled.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    format!("{}…", text.split_at(end).0.trim_end()).into()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn long_documents_are_cut_between_characters() {
        let tokenizer = Tokenizer::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/slm")).unwrap();
        let text = "Ünder the brïdge, at nœn, 我們 walked for a while.";
        let all = tokenizer.encode(text).unwrap().len();
        assert_eq!(cut(text, &tokenizer, all), text);
        for most in 1..all {
            let short = cut(text, &tokenizer, most);
            let kept = short.strip_suffix('…').unwrap();
            assert!(
                text.starts_with(kept) && tokenizer.encode(kept).unwrap().len() <= most + 3,
                "{most}"
            );
        }
        assert_eq!(cut("", &tokenizer, 1), "");
    }
}
