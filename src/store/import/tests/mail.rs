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
fn messages_without_text_are_skipped_and_bad_ones_named() {
    let contents = [
        plain(""),
        plain("> quoted"),
        plain("First\nFrom the garden\nSecond"),
        plain("Last"),
    ]
    .concat();
    let read = mailbox(contents);
    assert!(read[0].contains(r#""text":"First""#));
    assert_eq!(
        read[1],
        "PATH, message 4: is no message, for it has no sender and no date; perhaps a line of the one before begins with \"From \""
    );
    assert!(read[2].contains(r#""text":"Last""#));
    let long = mailbox(plain(&"a\n".repeat(Document::MOST_TEXT_BYTES / 2 + 1)) + &plain("b"));
    assert_eq!(
        long[0],
        "PATH, message 1: its text is longer than 4 MiB; import it in parts"
    );
    assert!(long[1].contains(r#""text":"b""#));
}

#[test]
fn a_mailbox_begins_like_one() {
    assert_eq!(mailbox(""), Vec::<String>::new());
    assert_eq!(
        mailbox("Dear Eve"),
        ["fatal: PATH: is no mailbox, which begins with \"From \" and a sender; export the mail as mbox"]
    );
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
        mailbox([super::super::mail::BEGIN, &contents.concat()].concat());
    }
}
