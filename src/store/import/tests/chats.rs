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
    let unknown = chats("[{\"secret\": 1}]").remove(0);
    assert!(unknown.starts_with("PATH, entry 1: is no object with a text") && !unknown.contains("secret"));
    assert_eq!(
        chats(format!("\u{FEFF}\n{pretty}\n")),
        [
            "skipped: without text".to_owned(),
            unknown.replace("entry 1", "entry 2"),
            "PATH, entry 3: its text is longer than 4 MiB; import it in parts".to_owned(),
            document("", "", "x", None, "chatgpt"),
        ]
    );
}

#[test]
fn what_is_whole_is_read_and_the_rest_named() {
    assert_eq!(chats("[]"), Vec::<String>::new());
    let cut = "PATH, entry 2: is cut off; what came before it is whole";
    let cut_off = chats(format!("[{}, {{\"secret\": 1", conversation()));
    assert!(
        cut_off.len() == 2 && cut_off[0].contains("Second") && cut_off[1] == cut,
        "{cut_off:?}"
    );
    let broken = chats(format!("[{{secret}}, {}]", conversation()));
    assert!(
        broken[0] == "PATH, entry 1: is not JSON" && broken[1].contains("Second"),
        "{broken:?}"
    );
    let half = chats(format!("[{}]", conversation()).replace("Second", "Second \\ud83d"));
    assert!(half[0].contains("Second \u{FFFD}"), "{half:?}");
}

#[test]
fn what_the_model_said_can_be_wanted() {
    let folder = Folder::new();
    let everyone = Wanted {
        everyone: true,
        ..Wanted::default()
    };
    let read = wanted(
        &folder.put("conversations.json", json!([conversation()]).to_string()),
        &everyone,
    );
    assert!(read[0].contains("user: First\\n\\nassistant: secret"), "{}", read[0]);
}
