use proptest::prelude::*;

use super::*;

fn mailbox(contents: impl AsRef<[u8]>) -> Vec<String> {
    let folder = Folder::new();
    read(&folder.put("a.mbox", contents), Format::Mail)
}

/// A mailbox of one plain message.
fn plain(body: &str) -> String {
    format!("From ada Wed May  1 12:00:00 2024\nFrom: ada@example.com\nSubject: S\n\n{body}\n\n")
}

fn text(body: &str) -> String {
    let read = mailbox(plain(body));
    assert_eq!(read.len(), 1);
    serde_json::from_str::<serde_json::Value>(&read[0]).unwrap()["text"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn messages_become_documents() {
    let read = mailbox(
        "From ada Wed May  1 12:00:00 2024\r\nMessage-ID: <1@example.com>\r\nFrom: Ada L <ada@example.com>\r\n\
         Date: Wed, 1 May 2024 14:00:00 +0200\r\nSubject: =?utf-8?q?Caf=C3=A9?=\r\n a table\r\n\
         Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
         Ein Tisch im Caf=E9.\r\n\r\n\
         From bob Wed May  1 12:00:00 2024\r\nFrom: bob@example.com\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
         --x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><head><style>p{}</style></head><body><p>Hello &amp; bye</p></body></html>\r\n\
         --x\r\nContent-Type: text/plain; name=secret.txt\r\nContent-Disposition: attachment; filename=secret.txt\r\n\r\nAttached\r\n--x--\r\n",
    );
    let ada = document(
        "1@example.com",
        "Café a table",
        "Ein Tisch im Café.",
        Some("2024-05-01T12:00:00Z"),
        "ada@example.com",
    );
    assert_eq!(read, [ada, document("", "", "Hello & bye", None, "bob@example.com")]);
}

#[test]
fn what_others_have_written_goes() {
    assert_eq!(
        text("Yes!\n\nOn Wed, 1 May 2024, Bob wrote:\n> Tea?\n>> Coffee?\n"),
        "Yes!"
    );
    assert_eq!(
        text("Yes!\n\nOn Wed, 1 May 2024 at 12:00 Bob Builder <bob@example.com>\nwrote:\n\n> Tea?"),
        "Yes!"
    );
    assert_eq!(
        text("Ja.\n\nAm 1.5.2024 um 12:00 schrieb Bob:\n> Tee?\n\nNachtrag"),
        "Ja.\n\nNachtrag"
    );
    assert_eq!(text("> Tea?\nYes.\n> Milk?\nNo."), "Yes.\nNo.");
    assert_eq!(text("My list:\n> Milk\nNothing else"), "My list:\nNothing else");
    assert_eq!(text("Hello\n>From here"), "Hello\nFrom here");
}

#[test]
fn what_stands_without_marks_goes_too() {
    for theirs in [
        "-----Original Message-----\nFrom: Bob\nSent: Tuesday\nTo: Ada\nSubject: S\n\nSteak",
        "________________________________\nFrom: Bob\nSent: Tuesday\nTo: Ada\nSubject: S\n\nSteak",
        "On Tue, 30 Apr 2024 at 10:00, Bob <bob@example.com> wrote:\n\nSteak",
        "-- \nAda Example\nTel. 123",
        "Sent from my iPhone",
        "Bob <bob@example.com> ikirjoitus:\n> Steak",
        "_______________________________________________\nSoup mailing list\nsoup@example.com",
    ] {
        assert_eq!(text(&format!("I am vegan.\n\n{theirs}\n")), "I am vegan.", "{theirs}");
    }
    for own in [
        "From: the garden\nwe saw a fox.",
        "My friend wrote:\nCome soon.",
        "One.\n-----\nTwo.",
    ] {
        assert_eq!(text(own), own);
    }
}

#[test]
fn messages_without_text_are_skipped_and_bad_ones_named() {
    let contents = [
        plain(""),
        plain("> quoted"),
        plain("First\nFrom the garden\nSecond"),
        "From ada Wed May  1 12:00:00 2024\nSubject: nobody's\n\nx\n\n".to_owned(),
        plain("Last"),
    ]
    .concat();
    let read = mailbox(contents);
    assert_eq!(read[..2], ["skipped: without text", "skipped: without text"]);
    assert!(
        read[2].contains(r#""text":"First\nFrom the garden\nSecond""#),
        "{}",
        read[2]
    );
    assert_eq!(
        read[3],
        "PATH, message 4: is no message, for it has no sender and no date"
    );
    assert!(read[4].contains(r#""text":"Last""#));
    let long = mailbox(plain(&"a\n".repeat(Document::MOST_TEXT_BYTES / 2 + 1)) + &plain("b"));
    assert_eq!(
        long[0],
        "PATH, message 1: its text is longer than 4 MiB; import it in parts"
    );
    assert!(long[1].contains(r#""text":"b""#));
}

#[test]
fn messages_are_parted_where_programs_part_them() {
    let texts = |contents: &str| -> Vec<String> {
        let read = mailbox(contents);
        read.iter()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line)
                    .map_or(line.clone(), |value| value["text"].as_str().unwrap().to_owned())
            })
            .collect()
    };
    let head = "From: ada@example.com\n";
    // Thunderbird, Google, a line without a date, one without a blank line before it.
    for from in [
        "From - Wed May 01 10:00:00 2024",
        "From 15@xxx Fri Sep 16 22:26:51 +0000 2016",
        "From ada@example.com",
        "From ",
    ] {
        assert_eq!(
            texts(&format!("\n{from}\n{head}\nOne\n\n{from}\n{head}\nTwo\n")),
            ["One", "Two"],
            "{from}"
        );
    }
    let from = "From ada Wed May  1 12:00:00 2024\n";
    assert_eq!(
        texts(&format!("{from}{head}\nOne\n{from}{head}\nTwo\n")),
        ["One", "Two"]
    );
    let inner = format!("One\n\n{from}{head}\nInner\n");
    let told = format!(
        "{from}{head}Content-Length: {}\n\n{inner}\n{from}{head}\nTwo\n",
        inner.len()
    );
    assert_eq!(texts(&told).len(), 2);
    let wrong = told.replace("Content-Length: ", "Content-Length: 9");
    assert_eq!(texts(&wrong).len(), 3);
    assert_eq!(
        texts(&format!("{from}{head}\n>From here\n>>From there\n")),
        ["From here"]
    );
}

#[test]
fn single_messages_and_the_mails_of_one_sender_are_read() {
    let folder = Folder::new();
    let one = "From: Ada <ada@example.com>\nSubject: S\n\nOne\n";
    assert!(read(&folder.put("a.eml", one), Format::Mail)[0].contains(r#""text":"One""#));
    let apple = format!("{}   \n{one}<?xml version=\"1.0\"?><plist/>", one.len());
    assert!(read(&folder.put("1.emlx", apple), Format::Mail)[0].contains(r#""text":"One""#));
    for name in ["box/cur/17.M1.host:2,S", "box/new/18.M1.host", "box/tmp/19"] {
        folder.put(name, one);
    }
    assert_eq!(wanted(&folder.0.join("box"), &Wanted::default()).len(), 2);
    for (me, count) in [("ada@EXAMPLE.com", 0), ("Ada", 0), ("bob@example.com", 1)] {
        let me = Wanted {
            me: vec![me.to_owned()],
            ..Wanted::default()
        };
        let read = wanted(&folder.0.join("a.eml"), &me);
        assert_eq!(
            read.iter().filter(|line| *line == "skipped: from others").count(),
            count
        );
    }
}

#[test]
fn texts_that_do_not_say_what_they_are_are_read() {
    for kind in ["text; charset=us-ascii", "multipart/mixed"] {
        let read = mailbox(plain("Hello").replace("Subject: S", &format!("Subject: S\nContent-Type: {kind}")));
        assert!(read[0].contains(r#""text":"Hello""#), "{kind}: {read:?}");
    }
}

#[test]
fn a_mailbox_begins_like_one() {
    assert_eq!(mailbox(""), Vec::<String>::new());
    assert!(mailbox("Dear Eve")[0].starts_with("fatal: PATH: is no mail: "));
}

const PIECES: [&str; 18] = [
    "From ",
    "From: a@b\n",
    "Date: Wed, 1 May 2024 14:00:00 +0200\n",
    "Content-Type: text/html; charset=utf-8\n",
    "Content-Type: text/plain; charset=utf-7\n",
    "Content-Type: multipart/mixed; boundary=x\n",
    "Content-Type: message/rfc822\n",
    "Content-Transfer-Encoding: base64\n",
    "Content-Transfer-Encoding: quoted-printable\n",
    "Subject: =?utf-8?q?=C3?=\n",
    "\n",
    "\n--x\n",
    "<p>",
    "&#x110000;",
    "<!--",
    "=C3",
    "é",
    ">",
];

proptest! {
    #[test]
    fn no_mailbox_stops_the_reader(contents in proptest::collection::vec(
        prop_oneof![4 => proptest::sample::select(&PIECES).prop_map(|piece| piece.as_bytes().to_vec()), 1 => any::<[u8; 3]>().prop_map(Vec::from)],
        0..60,
    )) {
        mailbox([b"From a Wed May  1 12:00:00 2024\n", &contents.concat()[..]].concat());
    }
}
