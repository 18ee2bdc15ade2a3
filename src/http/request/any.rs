//! Requests for whichever server they were written.

use serde_json::{Map, Value};

use super::RequestError;
use super::chat::chat_request;
use super::completion::completion_request;
use super::continued;
use super::others::Others;
use crate::context::PublicPrompt;
use crate::service::PublicRequest;

/// Reads a chat that has lost its private parts.
///
/// # Errors
/// [`RequestError`] naming the first field that is wrong or cannot be steered.
pub fn any_chat(mut body: Map<String, Value>) -> Result<PublicRequest, RequestError> {
    let others = Others::take(&mut body);
    let continued = continued::take(&mut body)?;
    let mut request = chat_request(&body).map_err(|error| others.under_its_name(error))?;
    others.check(&request.options)?;
    for prompt in &mut request.prompts {
        if let PublicPrompt::Chat(chat) = prompt {
            chat.continued = continued;
        }
    }
    Ok(request)
}

/// The same for a text to be continued.
///
/// # Errors
/// As for [`any_chat`].
pub fn any_completion(mut body: Map<String, Value>) -> Result<PublicRequest, RequestError> {
    let others = Others::take(&mut body);
    let request = completion_request(&body).map_err(|error| others.under_its_name(error))?;
    others.check(&request.options)?;
    Ok(request)
}
