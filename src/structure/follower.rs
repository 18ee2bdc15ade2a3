use std::sync::Arc;

use llguidance::Matcher;
use llguidance::api::StopReason;

use super::{Allowed, StructureError};
use crate::vocabulary::{TokenId, Tokenizer};

/// A grammar, kept in step with the tokens of one answer.
pub struct Follower {
    matcher: Matcher,
    tokenizer: Arc<Tokenizer>,
}

impl Follower {
    /// At the beginning of an answer.
    pub(super) fn new(matcher: Matcher, tokenizer: Arc<Tokenizer>) -> Self {
        Self { matcher, tokenizer }
    }

    /// The tokens that may come next. It takes 20 milliseconds at most where the grammar is within its limits.
    ///
    /// # Errors
    /// [`StructureError::Stuck`] where the grammar has become too big to follow.
    pub fn allowed(&mut self) -> Result<Allowed, StructureError> {
        let mut selectable = vec![false; self.tokenizer.selectable().len()];
        let (mut count, mut last) = (0, None);
        let accepts;
        if self.matcher.is_stopped() {
            if !matches!(
                self.matcher.stop_reason(),
                StopReason::NoExtension | StopReason::EndOfSentence
            ) {
                return Err(self.broken());
            }
            accepts = true;
        } else {
            accepts = self.accepts()?;
            let end = self.tokenizer.end().index();
            match self.matcher.compute_mask() {
                Ok(mask) => mask.iter_set_entries(|index| {
                    if index != end
                        && let Some(entry) = selectable.get_mut(index)
                    {
                        *entry = true;
                        count += 1;
                        last = u32::try_from(index).ok().map(TokenId);
                    }
                }),
                // Nothing may come. That is said by an empty answer here.
                Err(_) if self.matcher.stop_reason() == StopReason::NoExtensionBias => {}
                Err(error) => return Err(StructureError::stuck(&error)),
            }
        }
        if accepts {
            for end in self.tokenizer.ends() {
                if let Some(entry) = selectable.get_mut(end.index()) {
                    *entry = true;
                    count += 1;
                }
            }
        }
        let only = match (accepts, last) {
            // All tokens that end the turn say the same.
            (true, None) => Some(self.tokenizer.end()),
            (false, last) if count == 1 => last,
            _ => None,
        };
        Ok(Allowed {
            selectable: selectable.into(),
            count,
            only,
        })
    }

    /// Whether the answer may end here.
    ///
    /// # Errors
    /// [`StructureError::Stuck`] after another error.
    pub fn accepts(&mut self) -> Result<bool, StructureError> {
        self.matcher
            .is_accepting()
            .map_err(|error| StructureError::stuck(&error))
    }

    /// Goes on after tokens that were allowed.
    ///
    /// # Errors
    /// [`StructureError::Stuck`] where one of them was not.
    pub fn take(&mut self, tokens: &[TokenId]) -> Result<(), StructureError> {
        let ids: Vec<u32> = tokens.iter().map(|token| token.0).collect();
        self.matcher
            .consume_tokens(&ids)
            .map_err(|error| StructureError::stuck(&error))
    }

    /// Goes on after a text that was allowed, whichever tokens it came in.
    ///
    /// # Errors
    /// [`StructureError::Stuck`] where it was not.
    pub fn take_text(&mut self, text: &[u8]) -> Result<(), StructureError> {
        let tokens = self.spelled(text)?;
        self.take(&tokens)
    }

    /// Whether `text` may come next.
    pub fn follows_text(&mut self, text: &[u8]) -> bool {
        let tokens = self.spelled(text).unwrap_or_default();
        !tokens.is_empty() && self.follows(&tokens) == tokens.len()
    }

    /// Tokens that write `text`, which need not be those that the model would write.
    fn spelled(&self, text: &[u8]) -> Result<Vec<TokenId>, StructureError> {
        let tokens = self.matcher.tok_env().map_err(|error| StructureError::stuck(&error))?;
        let ids = tokens.tok_trie().greedy_tokenize(text);
        Ok(ids.into_iter().map(TokenId).collect())
    }

    /// How many of `tokens` may come next, one after the other.
    pub fn follows(&mut self, tokens: &[TokenId]) -> usize {
        let ids: Vec<u32> = tokens.iter().map(|token| token.0).collect();
        self.matcher.validate_tokens(&ids).unwrap_or_default()
    }

    fn broken(&self) -> StructureError {
        let reason = self.matcher.get_error();
        StructureError::stuck(&anyhow::anyhow!(reason.unwrap_or_else(|| "it has ended".to_owned())))
    }
}
