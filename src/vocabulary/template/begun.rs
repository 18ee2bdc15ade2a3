//! Chats that end within the assistant's last message, which the model is to go on with, as transformers' `continue_final_message` has them.

use zeroize::Zeroize;

use crate::vocabulary::ChatMessage;

/// Stands behind the message while the template writes it. Templates that trim a message take the blank with them.
const END: &str = "Here this message is to go on.";
const BLANK: char = ' ';

/// The chat with a mark behind its last message.
pub fn marked(chat: &[ChatMessage]) -> Vec<ChatMessage> {
    let mut chat = chat.to_vec();
    if let Some(last) = chat.last_mut() {
        let mut whole = String::with_capacity(last.content.len() + END.len() + BLANK.len_utf8());
        whole.push_str(&last.content);
        whole.push_str(END);
        whole.push(BLANK);
        // It may hold private text, as the others may.
        std::mem::replace(&mut last.content, whole).zeroize();
    }
    chat
}

/// What the template has written of a marked chat, up to the mark.
///
/// # Errors
/// That the template does not write the last message, in words that quote nothing of it.
pub fn cut(mut written: String) -> Result<String, String> {
    let Some(end) = written.rfind(END) else {
        written.zeroize();
        return Err("it does not write the assistant's last message as it is, so it cannot be gone on with".to_owned());
    };
    let is_trimmed = !written.get(end + END.len()..).unwrap_or_default().starts_with(BLANK);
    let kept = written.get(..end).unwrap_or_default();
    let kept = if is_trimmed { kept.trim_end().len() } else { end };
    written.truncate(kept);
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Role;

    fn through(content: &str, template: impl Fn(&str) -> String) -> Result<String, String> {
        let chat = marked(&[ChatMessage::new(Role::Assistant, content)]);
        cut(template(&chat[0].content))
    }

    #[test]
    fn blanks_at_the_end_stay_where_the_template_keeps_them() {
        assert_eq!(through("Hey, ", |said| format!("<a>{said}</a>")).unwrap(), "<a>Hey, ");
        assert_eq!(
            through("Hey, ", |said| format!("<a>{}</a>", said.trim())).unwrap(),
            "<a>Hey,"
        );
        assert_eq!(through("", |said| format!("<a>\n{said}</a>")).unwrap(), "<a>\n");
        assert!(through("Hey", |_| "<a></a>".to_owned()).is_err());
    }
}
