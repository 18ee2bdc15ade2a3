use std::sync::Arc;

use llguidance::toktrie::{TokEnv, TokRxInfo, TokTrie, TokenId as Id, TokenizerEnv};

use crate::vocabulary::{TokenId, Tokenizer};

/// A vocabulary as grammars see it: the text of its ordinary tokens, and the ends of a turn apart.
pub struct Tokens {
    tokenizer: Arc<Tokenizer>,
    trie: TokTrie,
    is_canonical: bool,
}

impl Tokens {
    /// Of `tokenizer`.
    pub fn of(tokenizer: Arc<Tokenizer>) -> TokEnv {
        let words: Vec<Vec<u8>> = (0..tokenizer.selectable().len())
            .filter_map(|index| u32::try_from(index).ok().map(TokenId))
            .map(|id| word(&tokenizer, id))
            .collect();
        let info = TokRxInfo::new(u32::try_from(words.len()).unwrap_or(u32::MAX), tokenizer.end().0);
        let mut tokens = Self {
            trie: TokTrie::from(&info, &words),
            tokenizer,
            is_canonical: false,
        };
        tokens.is_canonical = SAMPLES.iter().all(|sample| tokens.spelled(sample).is_some());
        Arc::new(tokens)
    }

    /// The ids in which the model itself would write a text; `None` where its tokenizer makes something else of it.
    fn spelled(&self, text: &str) -> Option<Vec<Id>> {
        let ids = self.tokenizer.encode(text).ok()?;
        let bytes: Vec<u8> = ids.iter().flat_map(|id| self.trie.token(id.0)).copied().collect();
        (bytes == text.as_bytes()).then(|| ids.into_iter().map(|id| id.0).collect())
    }
}

/// Texts that begin as the parts of an answer may. Some tokenizers put a space before every text, so they cannot spell a part.
const SAMPLES: [&str; 4] = ["{\"name\":", "name\": \"", ": [1, 2", "\n  \"a"];

/// What a token writes. A name behind the byte 0xFF, which no text has, is a token's that is no text.
fn word(tokenizer: &Tokenizer, id: TokenId) -> Vec<u8> {
    if tokenizer.ends().contains(&id) {
        return [b"\xFF<end:", id.0.to_string().as_bytes(), b">"].concat();
    }
    let is_selectable = tokenizer.selectable().get(id.index()).copied().unwrap_or(false);
    let bytes = tokenizer.bytes().get(id);
    // 0xFF as a token of its own would be read as the beginning of such a name; no UTF-8 has it.
    if is_selectable && !bytes.contains(&0xFF) {
        bytes.to_vec()
    } else {
        Vec::new()
    }
}

impl TokenizerEnv for Tokens {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<Id> {
        let spelled = std::str::from_utf8(bytes).ok().and_then(|text| self.spelled(text));
        spelled.unwrap_or_else(|| self.trie.greedy_tokenize(bytes))
    }

    fn tokenize_is_canonical(&self) -> bool {
        self.is_canonical
    }
}
