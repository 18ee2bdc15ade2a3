use serde_json::{Value, json};

use super::*;

fn chats(contents: impl AsRef<[u8]>) -> Vec<String> {
    let folder = Folder::new();
    read(&folder.put("conversations.json", contents), Format::Chats)
}

fn node(parent: Option<&str>, role: &str, parts: Value) -> Value {
    json!({"message": {"author": {"role": role}, "content": {"content_type": "text", "parts": parts}}, "parent": parent})
}

fn conversation() -> Value {
    let mut hidden = node(Some("root"), "user", json!(["about me"]));
    hidden["message"]["metadata"] = json!({"is_visually_hidden_from_conversation": true});
    json!({"title": "Tea\nor coffee", "create_time": 1714564800.0, "current_node": "answer", "id": "c1", "mapping": {
        "root": {"message": null, "parent": null},
        "hidden": hidden,
        "one": node(Some("hidden"), "user", json!(["  First  "])),
        "reply": node(Some("one"), "assistant", json!(["secret"])),
        "dropped": node(Some("reply"), "user", json!(["Dropped"])),
        "two": node(Some("reply"), "user", json!([{"asset_pointer": "x"}, "Second", {"text": "spoken"}])),
        "answer": node(Some("two"), "assistant", json!(["secret"])),
    }})
}

#[test]
fn a_conversation_is_what_its_user_wrote_last() {
    let (mut all, mut circle) = (conversation(), conversation());
    all["current_node"] = Value::Null;
    all["id"] = Value::Null;
    all["conversation_id"] = json!("c2");
    circle["mapping"]["root"]["parent"] = json!("answer");
    let read = chats(json!([conversation(), all, circle]).to_string());
    let title = "Tea or coffee";
    let time = Some("2024-05-01T12:00:00Z");
    assert_eq!(
        read,
        [
            document("c1", title, "First\n\nSecond\nspoken", time, "chatgpt"),
            document("c2", title, "First\n\nDropped\n\nSecond\nspoken", time, "chatgpt"),
            document("c1", title, "First\n\nSecond\nspoken", time, "chatgpt"),
        ]
    );
}

#[test]
fn bad_conversations_are_named_and_others_read() {
    let silent = json!({"mapping": {"a": node(None, "assistant", json!(["x"]))}});
    let long = json!({"mapping": {"a": node(None, "user", json!(["a".repeat(Document::MOST_TEXT_BYTES + 1)]))}});
    let short = json!({"mapping": {"a": node(None, "user", json!(["x"]))}});
    let pretty = serde_json::to_string_pretty(&json!([silent, {"secret": 1}, long, short])).unwrap();
    assert_eq!(
        chats(format!("\u{FEFF}\n{pretty}\n")),
        [
            "PATH, conversation 2: is no conversation as ChatGPT exports it, for it has no mapping".to_owned(),
            "PATH, conversation 3: its text is longer than 4 MiB; import it in parts".to_owned(),
            document("", "", "x", None, "chatgpt"),
        ]
    );
}

#[test]
fn a_file_that_is_no_export_is_refused() {
    let none = "fatal: PATH: is no array of conversations; give the conversations.json of ChatGPT's data export";
    assert_eq!(chats(""), [none]);
    assert_eq!(chats("{\"secret\": 1}"), [none]);
    let broken = "fatal: PATH: stops being JSON within its array; export or copy it once more";
    for contents in ["[", "[secret]", "[{\"secret\": 1", "[\"a"] {
        assert_eq!(chats(contents), [broken], "{contents}");
    }
    assert_eq!(chats("[]"), Vec::<String>::new());
    assert_eq!(chats(conversation_then("[").as_bytes()).last().unwrap(), broken);
}

/// An export that breaks off within its second conversation.
fn conversation_then(rest: &str) -> String {
    format!("[{}, {rest}", conversation())
}
