//! What a client has marked as private inside a request's own texts.
//!
//! `<private>` is looked for in every text of a body. In the texts that a prompt consists of it is taken; anything like it elsewhere, or in
//! another form, is refused, because nobody can say what it encloses. What the assistant said came out of picked tokens: whole pairs are
//! taken there as well, since a client may have written them. A tag that it only speaks of stays, unless something behind it may close it.
//! Only a pair that begins in one part of what it said and ends in another is refused.

use zeroize::Zeroizing;

use super::json::Json;
use crate::context::{
    Parted, PrivateContext, Unbalanced, is_almost_tagged, is_paired, is_tagged, part, part_whatever_pairs,
};
use crate::foreign;
use crate::http::ApiError;

/// Takes marked text out of the texts that a prompt consists of: a chat's messages, a completion's prompt, a response's instructions and
/// input, and what the system says in Anthropic's messages.
///
/// # Errors
/// 400 naming the field when tags do not pair, or stand where they cannot be taken.
pub fn take(fields: &mut [(String, Json)]) -> Result<Vec<PrivateContext>, ApiError> {
    let mut taken = Vec::new();
    for (key, value) in fields.iter_mut() {
        match value {
            Json::List(turns) if is_dialogue(key) => {
                for (index, turn) in turns.iter_mut().enumerate() {
                    take_from_turn(turn, &format!("{key}[{index}]"), &mut taken)?;
                }
            }
            said if is_text_of_prompts(key) => take_all(said, key, &mut taken)?,
            _ => {}
        }
    }
    check(fields)?;
    Ok(taken)
}

/// Takes marked text out of every text there is.
///
/// # Errors
/// 400 naming the field when tags do not pair, or have another form.
pub fn take_everywhere(fields: &mut [(String, Json)]) -> Result<Vec<PrivateContext>, ApiError> {
    let mut taken = Vec::new();
    for (key, value) in fields.iter_mut() {
        let name = shown(key);
        match value {
            Json::List(turns) if is_dialogue(key) => {
                for (index, turn) in turns.iter_mut().enumerate() {
                    if is_said(turn) {
                        take_from_turn(turn, &format!("{name}[{index}]"), &mut taken)?;
                    } else {
                        take_all(turn, &format!("{name}[{index}]"), &mut taken)?;
                    }
                }
            }
            value => take_all(value, &name, &mut taken)?,
        }
    }
    check(fields)?;
    Ok(taken)
}

fn take_from_turn(turn: &mut Json, place: &str, taken: &mut Vec<PrivateContext>) -> Result<(), ApiError> {
    if is_said(turn) {
        // Whole pairs are taken from there, too, and from its reasoning: a client may have put them there.
        return each_text(turn, &mut |text| {
            if is_tagged(text) {
                keep(part_whatever_pairs(text), text, taken);
            }
            Ok(())
        });
    }
    let Json::Object(fields) = turn else {
        return Ok(());
    };
    let mut contents = fields.iter_mut().filter(|(key, _)| is_content(key));
    contents.try_for_each(|(key, content)| take_all(content, &format!("{place}.{key}"), taken))
}

/// Takes marked text out of every text in `value`, which `field` names to the client.
fn take_all(value: &mut Json, field: &str, taken: &mut Vec<PrivateContext>) -> Result<(), ApiError> {
    each_text(value, &mut |text| {
        take_from(text, taken).map_err(|error| ApiError::invalid(field, error.to_string()))
    })
}

fn take_from(text: &mut Zeroizing<String>, taken: &mut Vec<PrivateContext>) -> Result<(), Unbalanced> {
    if is_tagged(text) {
        keep(part(text)?, text, taken);
    }
    Ok(())
}

fn keep(parted: Parted, text: &mut Zeroizing<String>, taken: &mut Vec<PrivateContext>) {
    *text = Zeroizing::new(parted.public);
    taken.extend(parted.private);
}

fn each_text(
    value: &mut Json,
    work: &mut impl FnMut(&mut Zeroizing<String>) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    match value {
        Json::Text(text) => work(text),
        Json::List(values) => values.iter_mut().try_for_each(|value| each_text(value, work)),
        Json::Object(fields) => fields.iter_mut().try_for_each(|(_, value)| each_text(value, work)),
        _ => Ok(()),
    }
}

/// Fields that hold turns of a dialogue: chats and Anthropic's messages, OpenAI's responses.
pub fn is_dialogue(key: &str) -> bool {
    matches!(key, "messages" | "input")
}

/// Fields that hold all of a prompt, or what stands above a dialogue.
pub fn is_text_of_prompts(key: &str) -> bool {
    matches!(key, "prompt" | "input" | "instructions" | "system")
}

/// What a turn says: a message, or the output of a function that was called.
fn is_content(key: &str) -> bool {
    matches!(key, "content" | "output")
}

/// Whether a turn is the assistant's. In OpenAI's responses, its calls and thoughts are turns without a role.
fn is_said(turn: &Json) -> bool {
    let Json::Object(fields) = turn else {
        return false;
    };
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    match field("role") {
        Some(role) => role.as_text() == Some("assistant"),
        None => matches!(
            field("type").and_then(Json::as_text),
            Some("function_call" | "reasoning")
        ),
    }
}

pub fn shown(key: &str) -> String {
    foreign::beginning(key, 40)
}

/// Refuses what is left of tags, or looks like one.
fn check(fields: &[(String, Json)]) -> Result<(), ApiError> {
    for (key, value) in fields {
        let clean = match value {
            Json::List(turns) if is_dialogue(key) => {
                let (said, asked): (Vec<&Json>, Vec<&Json>) = turns.iter().partition(|turn| is_said(turn));
                asked.iter().all(|turn| is_clean(turn))
                    && !is_any_together(&asked, is_almost_tagged)
                    && !said.iter().any(|turn| has_pair_over_parts(turn))
            }
            value => is_clean(value),
        };
        if !clean {
            return Err(ApiError::invalid(
                shown(key),
                "something like the tag <private> is left in it that cannot be taken out: it is spread over parts, escaped, has \
                 attributes, or stands in a field that is no text of the prompt. Write <private> and </private> as they are, in one text \
                 of a message; nothing was sent anywhere (context.private_tags = false takes tags for text)",
            ));
        }
    }
    Ok(())
}

fn is_clean(value: &Json) -> bool {
    match value {
        Json::Text(text) => !is_almost_tagged(text),
        Json::List(values) => {
            let values: Vec<&Json> = values.iter().collect();
            values.iter().all(|value| is_clean(value)) && !is_any_together(&values, is_almost_tagged)
        }
        Json::Object(fields) => fields.iter().all(|(_, value)| is_clean(value)),
        _ => true,
    }
}

/// Whether text between two tags is left in what the assistant said, in parts of which each has only one of them.
fn has_pair_over_parts(value: &Json) -> bool {
    match value {
        Json::List(values) => {
            let values: Vec<&Json> = values.iter().collect();
            values.iter().any(|value| has_pair_over_parts(value)) || is_any_together(&values, is_paired)
        }
        Json::Object(fields) => fields.iter().any(|(_, value)| has_pair_over_parts(value)),
        _ => false,
    }
}

/// Whether texts are what `is` looks for once they are joined. A server joins the parts of a message, so a tag may begin in one and end in
/// the next: texts of a list are looked at as one, and so are those that its objects have under one key.
fn is_any_together(values: &[&Json], is: impl Fn(&str) -> bool) -> bool {
    if values.len() < 2 {
        return false;
    }
    let mut keys: Vec<&str> = Vec::new();
    for value in values {
        if let Json::Object(fields) = value {
            for (key, value) in fields {
                if value.as_text().is_some() && !keys.contains(&key.as_str()) && keys.len() < MOST_KEYS {
                    keys.push(key);
                }
            }
        }
    }
    let bare: Zeroizing<String> = Zeroizing::new(values.iter().filter_map(|value| value.as_text()).collect());
    let under = |key: &str| -> Zeroizing<String> {
        let texts = values.iter().filter_map(|value| match value {
            Json::Object(fields) => fields.iter().find(|(name, _)| name == key)?.1.as_text(),
            other => other.as_text(),
        });
        Zeroizing::new(texts.collect())
    };
    is(&bare) || keys.into_iter().any(|key| is(&under(key)))
}

/// Keys of the parts of one list that are looked at; a part of a message has a handful.
const MOST_KEYS: usize = 16;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::json::{fields_of as fields, to_map};
    use super::*;

    fn after(body: &Value) -> Result<(Value, Vec<String>), String> {
        let mut fields = fields(body);
        let taken = take(&mut fields).map_err(|error| error.body().to_string())?;
        let taken = taken.iter().map(|context| context.preview().to_owned()).collect();
        Ok((Value::Object(to_map(&fields)), taken))
    }

    #[test]
    fn marked_text_is_taken_from_messages_and_prompts() {
        let (body, taken) = after(&json!({
            "messages": [
                {"role": "system", "content": "<private>a</private>Be kind."},
                {"role": "user", "content": [{"type": "text", "text": "One <private>b</private>"}, {"type": "text", "text": "two"}]},
                {"role": "assistant", "content": "Write <private> before it."},
                {"role": "user", "content": "three"},
            ],
        }))
        .unwrap();
        assert_eq!(taken, ["a", "b"]);
        assert_eq!(body["messages"][0]["content"], "Be kind.");
        assert_eq!(body["messages"][1]["content"][0]["text"], "One ");
        assert_eq!(body["messages"][2]["content"], "Write <private> before it.");
        let (prompts, taken) = after(&json!({"prompt": ["a<private>b</private>", "<private>c</private>"]})).unwrap();
        assert_eq!(taken.len(), 2);
        assert_eq!(prompts["prompt"], json!(["a", ""]));
    }

    #[test]
    fn marked_text_is_taken_from_whatever_the_assistant_has_said() {
        let (body, taken) = after(&json!({"messages": [{
            "role": "assistant",
            "content": "a<private>b</private>",
            "reasoning_content": "c<private>d</private>",
            "parts": [{"thought": "<private>e</private>f <private>"}],
        }]}))
        .unwrap();
        assert_eq!(taken, ["b", "d", "e"]);
        assert_eq!(body["messages"][0]["reasoning_content"], "c");
        assert_eq!(body["messages"][0]["content"], "a");
        assert_eq!(body["messages"][0]["parts"][0]["thought"], "f <private>");
    }

    #[test]
    fn a_pair_over_parts_of_what_the_assistant_said_is_refused() {
        let said = |parts: Value| after(&json!({"messages": [{"role": "assistant", "content": parts}]}));
        let texts = |texts: &[&str]| texts.iter().map(|text| json!({"type": "text", "text": text})).collect();
        for parts in [
            &["<private>a", "secret</private>"][..],
            &["<priv", "ate>a secret</private>"],
            &["a <private>", "secret", "</private> b"],
            &["<private>b</private><private>a secret", "</private>"],
        ] {
            let error = said(texts(parts)).unwrap_err();
            assert!(
                error.contains("messages") && !error.contains("secret"),
                "{parts:?}: {error}"
            );
        }
        for parts in [
            &["Write <private> before it.", "And that is all."][..],
            &["Write </private> behind it,", "and <private> before it."],
        ] {
            said(texts(parts)).unwrap();
        }
        let turns = json!({"messages": [
            {"role": "assistant", "content": "Write <private> before it."},
            {"role": "user", "content": "And behind it?"},
            {"role": "assistant", "content": "Write </private>."},
        ]});
        after(&turns).unwrap();
    }

    #[test]
    fn what_cannot_be_taken_is_refused_by_name_and_not_quoted() {
        let marked = "<private>a secret</private>";
        let chat = |content: Value| json!({"messages": [{"role": "user", "content": content}]});
        let with = |field: &str, value: Value| json!({"messages": [{"role": "user", "content": "Hi"}], field: value});
        for (body, names) in [
            (chat(json!("<private>a secret")), "messages[0].content"),
            (
                chat(
                    json!([{"type": "text", "text": "<priv"}, {"type": "text", "text": "ate>a secret</pri"}, {"type": "text", "text": "vate>"}]),
                ),
                "messages",
            ),
            (
                chat(
                    json!([{"type": "text", "text": "<priv"}, {"type": "image_url"}, {"type": "text", "text": "ate>a secret"}]),
                ),
                "messages",
            ),
            (
                json!({"messages": [{"role": "user", "content": "<priv"}, {"role": "user", "content": "ate>a secret"}]}),
                "messages",
            ),
            (
                json!({"messages": [{"role": "user", "content": "Hi", "name": marked}]}),
                "messages",
            ),
            (chat(json!("<pri<private>x</private>vate>a secret")), "messages"),
            (
                with(
                    "tools",
                    json!([{"type": "function", "function": {"description": marked}}]),
                ),
                "tools",
            ),
            (with("stop", json!([marked])), "stop"),
            (with("my_notes", json!(marked)), "my_notes"),
            (with("metadata", json!({"x": "&lt;private&gt;a secret"})), "metadata"),
            (
                json!({"messages": [{"role": "model", "content": "<private x>a secret"}]}),
                "messages",
            ),
        ] {
            let error = after(&body).unwrap_err();
            assert!(error.contains(names) && !error.contains("a secret"), "{body}: {error}");
        }
    }
}
