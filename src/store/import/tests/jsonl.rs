use jiff::Timestamp;
use proptest::prelude::*;

use super::super::super::PrivateText;
use super::*;

fn lines(contents: impl AsRef<[u8]>) -> Vec<String> {
    let folder = Folder::new();
    read(&folder.put("a.jsonl", contents), Format::Jsonl)
}

#[test]
fn a_person_is_a_profile_and_its_documents() {
    let person =
        r#"{"id": 7, "name": " Ada & Bob ", "profile": "Age: 40\n\n  Likes: tea \n", "extra": [1], "history": [
        {"task": "Write\n a  letter", "content": "Dear Eve", "date": "2024-05-01", "tags": ["mail"]},
        {"input": "Q", "output": "A", "created_at": 1714564800.5},
        {"text": "  "}, "text", {"title": "no text"}]}"#
            .replace('\n', "");
    let read = lines(&person);
    assert_eq!(
        read[0],
        r#"{"type":"profile","name":"Ada-Bob","description":"","preferences":[],"facts":["Age: 40","Likes: tea"]}"#
    );
    assert_eq!(
        read[1],
        r#"{"type":"document","profile":"Ada-Bob","key":"","title":"Write a letter","text":"Dear Eve","time":"2024-05-01T00:00:00Z","source":"","tags":["mail"]}"#
    );
    assert!(read[2].contains(r#""title":"Q","text":"A","time":"2024-05-01T12:00:00.5Z""#));
    assert_eq!(
        read[3..],
        [
            "PATH, line 1, item 3 of the history: has no text",
            "PATH, line 1, item 4 of the history: its field history is not a list of objects",
            "PATH, line 1, item 5 of the history: has no text",
        ]
    );
}

#[test]
fn a_person_needs_something_to_be_called_by() {
    assert!(lines(r#"{"id": "15_10_6", "profile": "x"}"#)[0].contains(r#""name":"15_10_6""#));
    assert!(lines(r#"{"name": "Jose\u0301 (2)", "profile": "x"}"#)[0].contains(r#""name":"José-2""#));
    assert_eq!(
        lines(r#"{"profile": "x"}"#),
        ["PATH, line 1: has a profile or a history, but no name (in name or id)"]
    );
    for name in ["!!", &"a".repeat(65)] {
        let read = lines(serde_json::json!({"name": name, "history": []}).to_string());
        assert!(
            read.len() == 1 && read[0].starts_with("PATH, line 1: its field name makes no name: a profile's name has")
        );
    }
}

#[test]
fn a_document_needs_a_text_only() {
    assert_eq!(lines(r#"{"body": "Hello"}"#), [document("", "", "Hello", None, "")]);
    assert_eq!(
        lines(
            r#"{"id": 3, "subject": "Hi", "text": null, "content": "Hello", "time": 0, "type": "mail", "source": "x"}"#
        ),
        [document(
            "file:FOLDER/a.jsonl#3",
            "Hi",
            "Hello",
            Some("1970-01-01T00:00:00Z"),
            "x"
        )]
    );
}

#[test]
fn bad_lines_are_named_and_others_read() {
    let mut file =
        b"\xEF\xBB\xBF{\"text\": \"one\"}\r\n\n \t\n{\"text\": secret}\n[1]\n{}\n\"secret\"\n\xFF\n".to_vec();
    for line in [
        r#"{"text": " "}"#,
        r#"{"type": "document", "text": "a", "name": "b"}"#,
        r#"{"type": "profile", "facts": []}"#,
        r#"{"type": "profile", "name": "/"}"#,
        r#"{"type": "profile", "name": "a", "facts": "secret"}"#,
        r#"{"type": "document", "text": "a", "time": 5}"#,
        r#"{"type": "document", "text": "a", "time": "2024-05-01"}"#,
    ] {
        file.extend(line.as_bytes());
        file.push(b'\n');
    }
    file.extend(b"{\"text\": \"");
    file.extend(vec![b'a'; super::line::MOST_BYTES]);
    file.extend(b"\"}\n{\"text\": \"last\"}");
    let read = lines(file);
    let record = "is no object with a text (in text, content, output or body), no conversation, nothing with a history or a profile, and nothing that CoSteer has exported (of type profile or document)";
    assert_eq!(read[0], document("", "", "one", None, ""));
    assert_eq!(
        read[1..read.len() - 1],
        [
            "PATH, line 4: is not JSON from column 10 on; every line must be one JSON object".to_owned(),
            format!("PATH, line 5, item 1 of the history: {record}"),
            format!("PATH, line 6: {record}"),
            format!("PATH, line 7: {record}"),
            "PATH, line 8: is not JSON from column 1 on; every line must be one JSON object".to_owned(),
            "PATH, line 9: has no text".to_owned(),
            "PATH, line 10: has an unknown field name; remove it".to_owned(),
            "PATH, line 11: has a profile or a history, but no name (in name or id)".to_owned(),
            format!(
                "PATH, line 12: its field name makes no name: {}",
                super::super::super::NotAName
            ),
            "PATH, line 13: its field facts is not a list of strings".to_owned(),
            "PATH, line 14: its field time is not a string".to_owned(),
            "PATH, line 15: its field time is not a time as RFC 3339 has it".to_owned(),
            "PATH, line 16: is longer than 16 MiB; write it as several lines".to_owned(),
        ]
    );
    assert_eq!(read.last().unwrap(), &document("", "", "last", None, ""));
}

#[test]
fn a_text_has_a_longest_size() {
    let text = |bytes| serde_json::json!({"text": "a".repeat(bytes)}).to_string();
    assert!(lines(text(Document::MOST_TEXT_BYTES))[0].starts_with('{'));
    let long = lines(text(Document::MOST_TEXT_BYTES + 1));
    assert_eq!(
        long,
        ["PATH, line 1: its text is longer than 4 MiB; import it in parts"]
    );
}

/// The only line of an export, read again.
fn back(line: &str) -> Entry {
    assert!(!line.contains('\n'));
    let folder = Folder::new();
    let mut reading = open(&folder.put("a.jsonl", line), &Wanted::default()).unwrap();
    let entry = reading.next().unwrap().unwrap();
    assert!(reading.next().is_none());
    entry
}

fn lists() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(any::<String>(), 0..4)
}

fn list(texts: Vec<String>) -> Vec<PrivateText> {
    texts.into_iter().map(PrivateText::from).collect()
}

const NAME: &str = "[a-zé0-9][a-z._@-]{0,63}";

// Private text cannot be printed, so that cases are made of what it is made of.
proptest! {
    #[test]
    fn exported_profiles_come_back(
        name in NAME, about in any::<String>(), likes in lists(), facts in lists(),
    ) {
        let name = ProfileName::new(&name).unwrap();
        let profile = Profile { description: about.into(), preferences: list(likes), facts: list(facts) };
        let Entry::Profile(name_back, profile_back) = back(&profile_line(&name, &profile)) else { panic!("no profile") };
        prop_assert!(name_back == name && profile_back == profile);
    }

    #[test]
    fn exported_documents_come_back(
        name in NAME,
        [key, title, text, source] in any::<[String; 4]>(),
        tags in lists(),
        time in proptest::option::of(Timestamp::MIN.as_nanosecond()..=Timestamp::MAX.as_nanosecond()),
    ) {
        let name = ProfileName::new(&name).unwrap();
        let document = Document {
            key: key.into(),
            title: title.into(),
            // Without a text there is no document.
            text: (text + ".").into(),
            time: time.map(|time| Timestamp::from_nanosecond(time).unwrap()),
            source: source.into(),
            tags: list(tags),
        };
        let Entry::Document(name_back, document_back) = back(&document_line(&name, &document)) else { panic!("no document") };
        prop_assert!(name_back == Some(name) && document_back == document);
    }

    #[test]
    fn no_file_stops_the_reader(contents in proptest::collection::vec(
        prop_oneof![any::<u8>(), proptest::sample::select(b"{}[]\"\n:,type text profile history".to_vec())], 0..300,
    )) {
        lines(contents);
    }
}
