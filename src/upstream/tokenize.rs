//! Asking a server how it writes a text in tokens.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::connection::{Connection, Endpoint};
use super::{Caller, UpstreamError};
use crate::vocabulary::TokenId;

impl Connection {
    /// The ids that the server's `/tokenize` makes of `body` (llama.cpp; vLLM and SGLang with the model's name in it).
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub async fn tokenize<B: Serialize>(&self, body: &B, caller: &Caller) -> Result<Vec<TokenId>, UpstreamError> {
        #[derive(Deserialize)]
        struct Tokenized {
            tokens: Vec<TokenId>,
        }
        let answer: Tokenized = self.ask(Endpoint::Native("/tokenize"), body, caller).await?;
        Ok(answer.tokens)
    }

    /// The ids of a bare text, in vLLM's dialect of `/tokenize` (SGLang's, too); `None` from servers that have no such route.
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub async fn tokenize_text(&self, text: &str, caller: &Caller) -> Result<Option<Vec<TokenId>>, UpstreamError> {
        let body = json!({"prompt": text, "add_special_tokens": false});
        self.tokenize_by_model(body, caller).await
    }

    /// [`Self::tokenize`] for the model that `caller` asks for; `None` from servers that have no such route.
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub async fn tokenize_by_model(
        &self,
        mut body: Value,
        caller: &Caller,
    ) -> Result<Option<Vec<TokenId>>, UpstreamError> {
        if let Some(model) = &caller.model {
            body["model"] = model.as_str().into();
        }
        match self.tokenize(&body, caller).await {
            Ok(ids) => Ok(Some(ids)),
            Err(error) if error.problem.is_no_such_route() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
