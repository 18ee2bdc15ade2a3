use crate::vocabulary::VocabularyError;

/// Why the private context could not be composed. No message quotes it.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// Tokenizer or chat template.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
    /// The configured template.
    #[error("context.template cannot be rendered: {what} (line {line})")]
    Template {
        /// minijinja's kind of error.
        what: String,
        /// Counted from 1; 0 where unknown.
        line: usize,
    },
    /// More than the configuration allows, although everything that may be left out was.
    #[error(
        "the private context is {tokens} tokens long without any history and facts, and context.budget allows {budget}; \
         shorten it, or raise context.budget"
    )]
    OverBudget {
        /// In tokens of the local model.
        tokens: usize,
        /// Likewise.
        budget: usize,
    },
}
