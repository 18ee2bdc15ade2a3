use super::*;

/// What was read of a folder with `files`, without the times.
fn notes(files: &[(&str, &str)]) -> Vec<String> {
    let folder = Folder::new();
    for (name, contents) in files {
        folder.put(name, contents);
    }
    read(&folder.0, Format::Notes)
}

fn field(line: &str, name: &str) -> serde_json::Value {
    serde_json::from_str::<serde_json::Value>(line).unwrap()[name].clone()
}

#[test]
fn a_folder_is_read_in_order_without_what_is_hidden() {
    let read = notes(&[
        ("b.md", "B"),
        ("a/z.txt", "Z"),
        ("a/y.markdown", "Y"),
        (".obsidian/x.md", "X"),
        ("a/.hidden.md", "X"),
        ("picture.png", "X"),
        ("empty.md", ""),
        ("blank.md", "---\ntitle: Nothing\n---\n \n"),
    ]);
    let (skipped, read): (Vec<_>, Vec<_>) = read.into_iter().partition(|line| line.starts_with("skipped"));
    assert_eq!(
        skipped,
        ["skipped: without text", "skipped: without text", "skipped: .png"]
    );
    let keys: Vec<_> = read.iter().map(|line| field(line, "key")).collect();
    assert_eq!(
        keys,
        ["file:FOLDER/a/y.markdown", "file:FOLDER/a/z.txt", "file:FOLDER/b.md"]
    );
    assert_eq!(field(&read[0], "source"), "FOLDER/a/y.markdown");
    assert_eq!(field(&read[0], "title"), "y");
    assert!(field(&read[0], "time").is_string(), "from the file");
}

#[test]
fn titles_are_from_headings_then_front_matter_then_names() {
    let heading = "\u{FEFF}---\ntitle: Front\ntags: [a, b]\ndate: 2024-05-01\n---\n```\n# comment\n```\n## Sub\r\n# The  title #\r\nText\n";
    let read = notes(&[
        ("1.md", heading),
        ("2.md", "---\ntitle: 'Front'\n---\nText\n"),
        ("3.txt", "# no heading\n"),
        ("4.md", "#hashtag\n# \n"),
        ("5.md", "# Only a title"),
    ]);
    let shown = read
        .iter()
        .map(|line| [field(line, "title"), field(line, "text")])
        .collect::<Vec<_>>();
    assert_eq!(
        shown,
        [
            ["The title", "```\n# comment\n```\n## Sub\r\nText"],
            ["Front", "Text"],
            ["3", "# no heading"],
            ["4", "#hashtag\n#"],
            ["Only a title", "# Only a title"],
        ]
    );
    assert_eq!(field(&read[0], "tags"), serde_json::json!(["a", "b"]));
    assert_eq!(field(&read[0], "time"), "2024-05-01T00:00:00Z");
}

#[test]
fn one_file_is_one_note() {
    let folder = Folder::new();
    let read = read(&folder.put("sub/Über uns.org", "Text"), Format::Notes);
    assert_eq!(
        (field(&read[0], "key"), field(&read[0], "title")),
        ("file:FOLDER/Über uns.org".into(), "Über uns".into())
    );
}

#[test]
fn unusable_notes_are_named_and_others_read() {
    let folder = Folder::new();
    folder.put("a.md", b"\x89PNG\0\0");
    folder.put("b.md", vec![b'b'; Document::MOST_TEXT_BYTES + 1]);
    folder.put("d.md", vec![b'd'; 2 * Document::MOST_TEXT_BYTES + 1]);
    folder.put("c.md", "C");
    let read = read(&folder.0, Format::Notes);
    assert_eq!(
        read[..2],
        [
            "PATH/a.md: is no text",
            "PATH/b.md: its text is longer than 4 MiB; import it in parts"
        ]
    );
    assert_eq!(field(&read[2], "text"), "C");
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let folder = Folder::new();
    folder.put("a.md", "A");
    std::os::unix::fs::symlink(&folder.0, folder.0.join("loop")).unwrap();
    std::os::unix::fs::symlink(folder.0.join("a.md"), folder.0.join("b.md")).unwrap();
    assert_eq!(read(&folder.0, Format::Notes).len(), 1);
}

#[test]
fn notes_of_other_programs_are_read() {
    let read = notes(&[
        ("a.org", "#+title: Soup\nLeeks"),
        ("b.rst", "Soup\n====\n\nLeeks"),
        ("c.html", "<title>Soup</title><p>Leeks"),
    ]);
    for line in read {
        assert_eq!(
            (field(&line, "title"), field(&line, "text")),
            ("Soup".into(), "Leeks".into()),
            "{line}"
        );
    }
}
