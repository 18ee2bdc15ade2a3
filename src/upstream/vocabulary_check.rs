//! What must be known before the first id of a server is read: whether its model has our vocabulary, and who writes its prompts.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::vocabulary_probe::{PROBE, Reading, other_special, read};
use super::{Caller, Problem, ServedModel, Upstream};
use crate::vocabulary::{ChatMessage, Role, TemplateOptions, Tokenizer};

/// The vocabulary that a server's model is to have.
#[derive(Clone)]
pub struct ServedVocabulary {
    /// Its tokenizer.
    pub tokenizer: Arc<Tokenizer>,
    /// Nobody said so: it is the local model's, and what the server says must prove it.
    pub is_assumed: bool,
}

impl ServedVocabulary {
    /// The ids that the server writes a text in must stand for that text in our tokenizer, or every id it sends means something
    /// else. Where the vocabulary is only assumed, special tokens and the number of tokens must agree as well. Servers that cannot be
    /// asked are taken at their word.
    ///
    /// # Errors
    /// [`Problem::OtherVocabulary`].
    pub async fn check(
        &self,
        upstream: &dyn Upstream,
        served: Option<&ServedModel>,
        url: &str,
        caller: &Caller,
    ) -> Result<(), Problem> {
        let other = |difference| Problem::OtherVocabulary {
            served: served.map_or_else(|| "the served model".to_owned(), |model| model.id.clone()),
            ours: if self.is_assumed {
                "local.model, whose tokenizer counts while upstream.tokenizer is empty"
            } else {
                "upstream.tokenizer"
            },
            difference,
        };
        if let Ok(Some(ids)) = upstream.tokenize(PROBE, caller).await {
            match read(&self.tokenizer, PROBE, &ids) {
                Reading::Same => {}
                Reading::OtherwiseCut => tracing::warn!(
                    %url,
                    "the server cuts a text into other tokens of its vocabulary than upstream.tokenizer does; is it of the served \
                     model's revision?"
                ),
                Reading::Other(read) => {
                    let difference = format!("it writes {PROBE:?} in ids that stand for {read:?} there");
                    return Err(other(difference));
                }
            }
        }
        if !self.is_assumed {
            return Ok(());
        }
        let ours = self.tokenizer.selectable().len();
        if let Some(entries) = served
            .and_then(|model| model.vocabulary)
            .filter(|entries| *entries < ours)
        {
            return Err(other(format!("it has {entries} tokens, and {ours} there")));
        }
        match other_special(upstream, &self.tokenizer, caller).await {
            Some(difference) => Err(other(difference)),
            None => Ok(()),
        }
    }

    /// Whether the server must write the prompts, because the vocabulary's own chat template would write them otherwise than the
    /// server does. Where both write the same, prompts are written here, and no request is needed for it.
    pub async fn is_written_otherwise(&self, upstream: &dyn Upstream, caller: &Caller) -> bool {
        if !self.is_assumed {
            return false;
        }
        for (chat, options) in samples() {
            let ours = self.tokenizer.chat_prompt_with(&chat, &[], &options);
            let caller = Caller {
                template: self.tokenizer.template_options().overridden_by(&options),
                ..caller.clone()
            };
            if let Ok(Some(theirs)) = upstream.prompt(chat.into(), caller).await
                && !ours.is_ok_and(|ours| ours == theirs)
            {
                return true;
            }
        }
        false
    }
}

/// Chats and options that templates differ in.
fn samples() -> [(Vec<ChatMessage>, TemplateOptions); 4] {
    let said = |role, text: &str| ChatMessage::new(role, text);
    let question = vec![said(Role::User, "Hello!")];
    let turns = vec![
        said(Role::User, " What is 2 + 2? "),
        said(Role::Assistant, "4\n"),
        said(Role::User, "And twice that?"),
    ];
    let instructed = [&[said(Role::System, "Be brief.")], turns.as_slice()].concat();
    let unthinking = Map::from_iter([("enable_thinking".to_owned(), Value::from(false))]);
    [
        (question.clone(), TemplateOptions::default()),
        (turns, TemplateOptions::default()),
        (instructed, TemplateOptions::default()),
        (question, TemplateOptions(unthinking)),
    ]
}
