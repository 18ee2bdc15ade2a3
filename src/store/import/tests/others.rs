//! Chats beside ChatGPT's, tables, and packed files.

use std::io::Write;

use serde_json::{Value, json};

use super::*;

fn texts(lines: &[String]) -> Vec<String> {
    let text = |line: &String| match serde_json::from_str::<Value>(line) {
        Ok(value) => value["text"].as_str().unwrap().to_owned(),
        Err(_) => line.clone(),
    };
    lines.iter().map(text).collect()
}

fn json(value: &Value) -> Vec<String> {
    let folder = Folder::new();
    wanted(&folder.put("a.json", value.to_string()), &Wanted::default())
}

#[test]
fn conversations_with_other_models_are_read() {
    let claude = json!([{"uuid": "u1", "name": "N", "created_at": "2024-05-01T12:00:00Z", "chat_messages": [
        {"sender": "human", "text": "", "content": [{"type": "text", "text": "I am vegan."}]}, {"sender": "assistant", "text": "secret"}]}]);
    assert_eq!(
        json(&claude),
        [document(
            "u1",
            "N",
            "I am vegan.",
            Some("2024-05-01T12:00:00Z"),
            "claude"
        )]
    );
    let gemini = json!([{"header": "Gemini Apps", "title": "Prompted What can a vegan eat?", "time": "2024-05-01T12:00:00.000Z", "products": ["Gemini Apps"]}]);
    assert_eq!(
        json(&gemini),
        [document(
            "",
            "",
            "What can a vegan eat?",
            Some("2024-05-01T12:00:00Z"),
            "gemini"
        )]
    );
    let studio = json!({"chunkedPrompt": {"chunks": [{"text": "One", "role": "user"}, {"text": "hm", "role": "model", "isThought": true}, {"text": "Two", "role": "model"}]}});
    assert_eq!(texts(&json(&studio)), ["One"]);
    let messages = json!({"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": [{"type": "text", "text": "One"}]}, {"role": "assistant", "content": "x"}]});
    assert_eq!(
        texts(&json(&json!({"conversations": [messages, messages]}))),
        ["One", "One"]
    );
}

#[test]
fn records_in_lists_and_over_lines_are_read() {
    let folder = Folder::new();
    for (name, contents) in [
        ("a.jsonl", "[{\"text\":\"one\"},{\"text\":\"two\"}]\n"),
        ("b.jsonl", "{\n \"text\": \"one\"\n}\n{\n\"text\": \"two\"\n}\n"),
        ("c.json", "{\"text\":\"one\"}\n{\"text\":\"two\"}\n"),
        ("d.json", "{\"items\": [{\"text\":\"one\"}, {\"text\":\"two\"}]}"),
    ] {
        assert_eq!(
            texts(&wanted(&folder.put(name, contents), &Wanted::default())),
            ["one", "two"],
            "{name}"
        );
    }
}

#[test]
fn dates_that_are_not_understood_lose_no_record() {
    for (written, time) in [
        (json!(1_714_564_800_000_i64), json!("2024-05-01T12:00:00Z")),
        (json!("2024-05-01 14:00:00 +0200"), json!("2024-05-01T12:00:00Z")),
        (json!("1714564800"), json!("2024-05-01T12:00:00Z")),
        (json!(""), Value::Null),
        (json!("soon"), Value::Null),
        (Value::Null, Value::Null),
        (json!([1]), Value::Null),
    ] {
        let read = json(&json!([{"text": "one", "date": written, "tags": "#a b"}]));
        let read: Value = serde_json::from_str(&read[0]).unwrap();
        assert_eq!((&read["time"], &read["tags"]), (&time, &json!(["a", "b"])));
    }
}

#[test]
fn tables_are_records() {
    let folder = Folder::new();
    let latin = encoding_rs::WINDOWS_1252
        .encode("id;title;text;date\r\n1;Soup;\"Möhren; und\r\nLauch für die Suppe\";01.05.2024\r\n")
        .0
        .into_owned();
    for contents in [
        "\u{FEFF}id,title,text,date\n1,Soup,\"Möhren; und\r\nLauch für die Suppe\",2024-05-01\n"
            .as_bytes()
            .to_vec(),
        latin,
    ] {
        let read = wanted(&folder.put("a.csv", contents), &Wanted::default());
        assert_eq!(
            read,
            [document(
                "file:FOLDER/a.csv#1",
                "Soup",
                "Möhren; und\r\nLauch für die Suppe",
                Some("2024-05-01T00:00:00Z"),
                ""
            )]
        );
    }
    let none = wanted(&folder.put("b.csv", "a,b\n1,2\n"), &Wanted::default());
    assert!(
        none[0].starts_with("fatal: PATH: has no column called text"),
        "{none:?}"
    );
}

#[test]
fn a_chat_needs_to_know_who_its_owner_is() {
    let folder = Folder::new();
    let chat =
        "[01.05.24, 12:00:00] Ada: I am vegan.\n[01.05.24, 12:01:00] Bob: Steak\n[02.05.24, 12:01:00] Ada: Tofu\n";
    let named = folder.put("WhatsApp Chat with Bob.txt", chat);
    assert_eq!(texts(&wanted(&named, &Wanted::default())), ["I am vegan.", "Tofu"]);
    let unnamed = folder.put("_chat.txt", chat);
    assert!(wanted(&unnamed, &Wanted::default())[0].contains("--me"));
    let me = Wanted {
        me: vec!["ada".to_owned()],
        ..Wanted::default()
    };
    assert_eq!(texts(&wanted(&unnamed, &me)), ["I am vegan.", "Tofu"]);
}

/// A ZIP file with stored files in it, of which `names` are kept as they are.
fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, contents) in files {
        zip.start_file(*name, options).unwrap();
        zip.write_all(contents.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn exports_are_read_as_folders_and_packed() {
    let conversation = r#"[{"id": "c1", "title": "T", "mapping": {"a": {"message": {"author": {"role": "user"}, "content": {"parts": ["Mine"]}}}}}]"#;
    let files = [
        ("chat.html", "<p>Theirs"),
        ("conversations.json", conversation),
        ("message_feedback.json", r#"[{"id": "1", "content": "{}"}]"#),
        ("user.json", "{}"),
        ("picture.png", "x"),
    ];
    let folder = Folder::new();
    for (name, contents) in files {
        folder.put(&format!("export/{name}"), contents);
    }
    let wanted_of = |path: PathBuf| texts(&wanted(&path, &Wanted::default()));
    assert_eq!(wanted_of(folder.0.join("export")), ["Mine", "skipped: .png"]);
    let zip = folder.put("export.zip", zipped(&files));
    assert_eq!(wanted_of(zip), ["Mine", "skipped: .png"]);
    assert!(wanted_of(folder.put("bad.zip", "PK"))[0].contains("is no ZIP file"));
}
