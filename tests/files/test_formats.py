"""Random files, written by Python's own modules with the oddities of the field, come back whole: no word of the owner's is lost, and none of
somebody else's comes in."""

import collections
import csv
import datetime
import email.message
import email.policy
import email.utils
import io
import json
import mailbox
import os
import time
import unicodedata

import pytest
import yaml
from proxy import Store
from words import LETTERS, Words, found

COUNTS = collections.Counter()


@pytest.fixture(scope="module", autouse=True)
def told():
    yield
    print("\ndocuments: " + ", ".join(f"{count} {kind}" for kind, count in COUNTS.items()) + f"; {COUNTS.total()} in all")
    # With all tests, that is, and not with those that -k has chosen.
    assert len(COUNTS) < 5 or COUNTS.total() >= 5000


def check(kind, documents, wanted, said):
    """`wanted` has for each document its words, in a set."""
    COUNTS[kind] += len(wanted)
    code, summary, err = said
    assert summary.get("problems") == 0 and code == 0, (summary, err[-500:])
    missing = [words for words in wanted if not any(next(iter(words)) in document["title"] + document["text"] for document in documents)]
    assert not missing and len(documents) == len(wanted), (missing[:3], len(documents), len(wanted), summary)
    everything = {word: number for number, words in enumerate(wanted) for word in words}
    for document in documents:
        text = document["title"] + "\n" + document["text"]
        assert not found(text, "theirs"), document
        mine = found(text, "mine")
        numbers = {everything[word] for word in mine}
        assert len(numbers) == 1, ("words of several documents, or of none", document)
        number = numbers.pop()
        assert mine == wanted[number], ("lost", wanted[number] - mine, document)
        wanted[number] = None if not mine else wanted[number]


# Notes


def day(words):
    return datetime.date(2000, 1, 1) + datetime.timedelta(days=words.random.randrange(9000))


def front(words, title, date, tags):
    """The same said in one of many ways."""
    chance = words.random
    written = chance.choice([date, date.isoformat(), datetime.datetime(date.year, date.month, date.day, 12), f"{date:%Y/%m/%d}", f"{date:%d.%m.%Y}",
                             f"{date.isoformat()} 12:00:00 +0000", f"[[{date.isoformat()}]]"])
    listed = chance.choice([tags, ", ".join(tags), " ".join(f"#{tag}" for tag in tags)])
    about = {chance.choice(["title", "Title"]): title, chance.choice(["date", "created", "Date", "date created"]): written,
             chance.choice(["tags", "Tags", "tag"]): listed, "layout": "post"}
    style = chance.choice([None, '"', "'", "|", ">"])
    return yaml.safe_dump(about, default_style=style if chance.random() < 0.5 else None, allow_unicode=chance.random() < 0.5, sort_keys=False,
                          width=chance.choice([20, 80, 1000]), default_flow_style=False)


@pytest.mark.parametrize("seed", range(4))
def test_notes(seed):
    words = Words(seed)
    chance = words.random
    wanted, about = [], {}
    with Store() as store:
        for number in range(500):
            encoding = chance.choice(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
            letters = "aeiouäöüéß" if encoding == "cp1252" else LETTERS
            text, mine = words.text(letters=letters, lines=chance.randint(3, 8) if encoding == "cp1252" else None)
            ending = chance.choice(["md", "MD", "markdown", "txt", "org", "rst", "html"])
            folder = chance.choice(["", "a/", "b/c/", unicodedata.normalize("NFD", "Zürich/")])
            name = f"{folder}{chance.choice(['todo', 'index', 'Ärger', 'n'])}{'' if number < 20 else number}.{ending}"
            shape = chance.choice(["plain", "front", "toml", "rules", "heading"])
            if ending == "html":
                text = "<html><head><title>t</title></head><body>" + "".join(f"<p>{line}</p>" for line in text.split("\n")) + "</body></html>"
            elif ending == "org":
                text = "#+TITLE: t\n\n* h\n" + text
            elif ending == "rst":
                title = words.word("mine", "aeiou")
                mine.append(title)
                text = f"{title}\n{'=' * len(title)}\n\n{text}"
            elif shape == "front":
                title = " ".join(words.word("mine", "aeiou") + chance.choice(["", ":", " -", ","]) for _ in range(chance.randint(1, 8)))
                date, tags = day(words), [f"tag{chance.randrange(9)}" for _ in range(chance.randint(1, 3))]
                mine += list(found(title, "mine"))
                about[mine[0]] = (" ".join(title.split()), date, tags)
                text = f"---\n{front(words, title, date, tags)}---\n{text}"
            elif shape == "toml":
                title = words.word("mine", "aeiou")
                mine.append(title)
                text = f'+++\ntitle = "{title}"\ndate = {day(words)}\n+++\n{text}'
            elif shape == "rules":
                more, others = words.text(letters=letters)
                mine += others
                text = f"---\n\n{text}\n\n---\n\n{more}\n"
            elif shape == "heading" and ending != "txt":
                title = words.word("mine", "aeiou")
                mine.append(title)
                text = f"before\n\n# {title}\n\n{text}"
            if chance.random() < 0.3:
                text = text.replace("\n", "\r\n")
            if encoding == "cp1252" and shape == "front" and ending in ("md", "MD", "markdown", "txt"):
                encoding = "utf-8"
            path = os.path.join(store.home, "in", name)
            if os.path.exists(path):
                continue
            data = text.encode(encoding)
            store.put(name, data)
            wanted.append(set(mine))
        documents, said = store.imported()
        check("notes", documents, wanted, said)
        for document in documents:
            for word in found(document["text"], "mine") & about.keys():
                title, date, tags = about[word]
                assert document["title"] == title and document["tags"] == tags and document["time"].startswith(date.isoformat()), (document, about[word])
        _, (_, again, _) = store.imported()
        assert (again["added"], again["updated"], again["unchanged"]) == (0, 0, len(wanted))


# Mail

INTRODUCTIONS = [
    "On Tue, 30 Apr 2024 at 10:00, {name} <{address}> wrote:",
    "On Tuesday, April 30, 2024 at 10:00:00 AM GMT+2, {name}\n<{address}> wrote:",
    "Am 30.04.2024 um 10:00 schrieb {name}:",
    "Am Di., 30. Apr. 2024 um 10:00 Uhr schrieb {name} <{address}>:",
    "Le mar. 30 avr. 2024 à 10:00, {name} <{address}> a écrit :",
    "El mar, 30 abr 2024 a las 10:00, {name} (<{address}>) escribió:",
    "Il giorno mar 30 apr 2024 alle ore 10:00 {name} <{address}> ha scritto:",
    "Op di 30 apr. 2024 om 10:00 schreef {name} <{address}>:",
    "Em ter., 30 de abr. de 2024 às 10:00, {name} <{address}> escreveu:",
    "вт, 30 апр. 2024 г. в 10:00, {name} <{address}>:",
    "wt., 30 kwi 2024 o 10:00 {name} <{address}> napisał(a):",
    "Den tis 30 apr. 2024 kl 10:00 skrev {name} <{address}>:",
    "2024年4月30日(火) 10:00 {name} <{address}>:",
]
HEADS = [
    "-----Original Message-----\nFrom: {name} <{address}>\nSent: Tuesday, April 30, 2024 10:00 AM\nTo: Ada\nSubject: {subject}\n",
    "From: {name} <{address}>\nSent: Tuesday, April 30, 2024 10:00 AM\nTo: Ada <ada@example.com>\nSubject: {subject}\n",
    "Von: {name} <{address}>\nGesendet: Dienstag, 30. April 2024 10:00\nAn: Ada\nBetreff: {subject}\n",
    "De : {name} <{address}>\nEnvoyé : mardi 30 avril 2024 10:00\nÀ : Ada\nObjet : {subject}\n",
    "De: {name} <{address}>\nEnviado el: martes, 30 de abril de 2024 10:00\nPara: Ada\nAsunto: {subject}\n",
    "Da: {name} <{address}>\nInviato: martedì 30 aprile 2024 10:00\nA: Ada\nOggetto: {subject}\n",
    "Van: {name} <{address}>\nVerzonden: dinsdag 30 april 2024 10:00\nAan: Ada\nOnderwerp: {subject}\n",
    "________________________________\nFrom: {name} <{address}>\nSent: Tuesday, April 30, 2024 10:00 AM\nTo: Ada\nSubject: {subject}\n",
    "---------- Forwarded message ---------\nFrom: {name} <{address}>\nDate: Tue, 30 Apr 2024 at 10:00\nSubject: {subject}\nTo: Ada\n",
    "-------- Weitergeleitete Nachricht --------\nBetreff: {subject}\nDatum: Tue, 30 Apr 2024 10:00:00 +0200\nVon: {name} <{address}>\nAn: Ada\n",
    "Begin forwarded message:\n\nFrom: {name} <{address}>\nSubject: {subject}\nDate: April 30, 2024 at 10:00:00\nTo: Ada\n",
    "*From:* {name} <{address}>\n*Sent:* Tuesday, April 30, 2024 10:00 AM\n*To:* Ada\n*Subject:* {subject}\n",
    "-----Ursprüngliche Nachricht-----\nVon: {name} <{address}>\nGesendet: Dienstag, 30. April 2024 10:00\nAn: Ada\nBetreff: {subject}\n",
]


def message(words, number):
    """A mail of Ada's with somebody else's words in it, and Ada's words."""
    chance = words.random
    charset = chance.choice(["us-ascii", "utf-8", "iso-8859-1", "windows-1252", "iso-2022-jp", "koi8-r", "gb2312"])
    letters = {"us-ascii": "aeiou", "iso-8859-1": "aeiouäöüéñ", "windows-1252": "aeiouäöüéñ", "iso-2022-jp": "aio日本語", "koi8-r": "aeбдежик",
               "gb2312": "aeio中文"}.get(charset, LETTERS)
    text, mine = words.text(letters=letters)
    text += chance.choice(["", "\n\nFrom the garden to the sea.", "\nFrom now on at 10:00.", "\n>From here: no quote\n".replace(">", ""), "\n\nA list:\n- one\n- two", "\nI wrote: yes."])
    theirs, _ = words.text("theirs", lines=chance.randint(1, 4))
    name, address, subject = (words.word("theirs", "aeiou") for _ in range(3))
    said = {"name": name, "address": f"{address}@example.com", "subject": subject}
    shape = chance.choice(["plain", "quoted", "unquoted", "head", "signature", "inline", "html", "htmlquote", "attached"])
    subject = words.word("mine", "aeiou")
    mine.append(subject)
    introduction = chance.choice([one for one in INTRODUCTIONS]).format(**said)
    quote = "\n".join("> " + line for line in theirs.split("\n"))
    whole = text
    if shape == "quoted":
        whole = f"{text}\n\n{introduction}\n{chance.choice(['', chr(10)])}{quote}\n"
    elif shape == "unquoted":
        introduction = chance.choice([one for one in INTRODUCTIONS if not one.endswith(">:")]).format(**said)
        whole = f"{text}\n\n{introduction}\n\n{theirs}\n"
    elif shape == "head":
        whole = f"{text}\n\n{chance.choice(HEADS).format(**said)}\n{theirs}\n"
    elif shape == "signature":
        whole = f"{text}\n-- \n{theirs}\n"
    elif shape == "inline":
        more, others = words.text(letters=letters)
        mine += others
        whole = f"{introduction}\n{quote}\n\n{text}\n\n{quote}\n\n{more}\n"
    mail = email.message.EmailMessage(policy=email.policy.default.clone(cte_type="8bit"))
    mail["From"] = email.utils.formataddr((chance.choice(["Ada", "Ädä"]), "ada@example.com"))
    mail["To"] = "bob@example.com"
    mail["Subject"] = subject
    mail["Date"] = email.utils.format_datetime(datetime.datetime(2024, 5, 1, 10, 0, tzinfo=datetime.timezone.utc))
    if chance.random() < 0.9:
        mail["Message-ID"] = f"<{number}.{words.count}@example.com>"
    try:
        whole.encode(charset)
    except UnicodeEncodeError:
        charset = "utf-8"
    if shape in ("html", "htmlquote"):
        page = "<br>".join(text.split("\n"))
        if shape == "htmlquote":
            page += chance.choice([
                f'<div class="gmail_quote"><div class="gmail_attr">On Tue, 30 Apr 2024 at 10:00, {name} &lt;{address}@example.com&gt; wrote:<br></div><blockquote>{theirs}</blockquote></div>',
                f'<blockquote type="cite"><div>{theirs}</div></blockquote>',
                f'<hr><div id="divRplyFwdMsg"><b>From:</b> {name}<br><b>Sent:</b> Tuesday<br><b>To:</b> Ada<br><b>Subject:</b> x<br></div><div>{theirs}</div>',
                f'<div class="moz-cite-prefix">Am 30.04.2024 um 10:00 schrieb {name}:<br></div><blockquote type="cite"><p>{theirs}</p></blockquote>',
            ])
        mail.set_content(f"<html><body><div>{page}</div></body></html>", subtype="html", charset="utf-8", cte=chance.choice(["quoted-printable", "base64", "8bit"]))
    else:
        mail.set_content(whole, charset=charset, cte=chance.choice(["quoted-printable", "base64"]) if charset not in ("us-ascii", "utf-8", "iso-8859-1") else chance.choice(["quoted-printable", "base64", "8bit"]))
        if shape == "attached":
            mail.add_attachment(theirs.encode(), maintype="text", subtype="plain", filename="x.txt")
        elif chance.random() < 0.2 and shape == "plain":
            mail.add_alternative(f"<p>{theirs}</p>", subtype="html")
    return mail, set(mine)


@pytest.mark.parametrize("seed", range(4))
def test_mail(seed):
    words = Words(100 + seed)
    chance = words.random
    wanted = []
    with Store() as store:
        os.makedirs(os.path.join(store.home, "in", "Sent.mbox"))
        boxes = [mailbox.mbox(os.path.join(store.home, "in", "Inbox")), mailbox.mbox(os.path.join(store.home, "in", "Sent.mbox", "mbox")),
                 mailbox.mbox(os.path.join(store.home, "in", "all.mbox")), mailbox.Maildir(os.path.join(store.home, "in", "Maildir"))]
        for number in range(500):
            mail, mine = message(words, number)
            wanted.append(mine)
            place = chance.choice([*boxes, "eml", "mboxcl2"])
            if place == "eml":
                store.put(f"{number}.eml", mail.as_bytes(policy=mail.policy.clone(linesep=chance.choice(["\n", "\r\n"]))))
            elif place == "mboxcl2":
                data = mail.as_bytes(policy=mail.policy.clone(linesep="\n"))
                head, body = data.split(b"\n\n", 1)
                store.put(f"cl{number}.mbox", b"From ada Wed May  1 10:00:00 2024\n" + head + b"\nContent-Length: %d\n\n" % len(body) + body + b"\n")
            elif isinstance(place, mailbox.mbox):
                place.add(mailbox.mboxMessage(mail))
            else:
                place.add(mail)
        for box in boxes:
            box.flush()
            box.close()
        if seed % 2:
            # As Windows writes it.
            path = os.path.join(store.home, "in", "all.mbox")
            data = open(path, "rb").read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            open(path, "wb").write(data)
        documents, said = store.imported()
        check("mails", documents, wanted, said)


# Chats


def half(words, text):
    """The text as JSON, perhaps with half an emoji in it."""
    return json.dumps(text)[1:-1] + words.random.choice(["", "", "", " \\ud83d", "\\udc36 "])


@pytest.mark.parametrize("seed", range(2))
def test_chats(seed):
    words = Words(200 + seed)
    chance = words.random
    wanted, chatgpt, claude = [], [], []
    for number in range(300):
        mine, mapping, parent = set(), {}, None
        for turn in range(chance.randint(1, 5)):
            text, own = words.text(letters=LETTERS)
            theirs, _ = words.text("theirs")
            mine |= set(own)
            parts = chance.choice([[text], ["", text], [{"content_type": "image_asset_pointer"}, text], [{"content_type": "audio_transcription", "text": text}]])
            mapping[f"u{turn}"] = {"parent": parent, "message": {"author": {"role": "user"}, "content": {"content_type": "text", "parts": parts}}}
            mapping[f"a{turn}"] = {"parent": f"u{turn}", "message": {"author": {"role": "assistant"}, "content": {"parts": [theirs]}}}
            parent = f"a{turn}"
        mapping["gone"] = {"parent": "u0", "message": {"author": {"role": "user"}, "content": {"parts": [words.word("theirs", "a")]}}}
        about = {"id": f"c{seed}-{number}", "title": "T", "create_time": chance.choice([1.7e9, None, "2024-05-01T10:00:00Z", 0]), "current_node": parent, "mapping": mapping}
        whole = json.dumps(about, ensure_ascii=chance.random() < 0.5)
        # An old wound: half an emoji, a number that is none, a line's end in a text.
        whole = whole.replace('"T"', '"T' + chance.choice(["", "", " \\ud83d", "\\udc36", "\n", "\t"]) + '"', 1).replace("1700000000.0", chance.choice(["1700000000.0", "1e999", "NaN"]))
        chatgpt.append(whole)
        wanted.append(mine)
    for number in range(200):
        text, own = words.text(letters=LETTERS)
        theirs, _ = words.text("theirs")
        claude.append({"uuid": f"{seed}-{number}", "name": "", "created_at": "2024-05-01T10:00:00.000000Z", "chat_messages": [
            {"sender": "human", "text": chance.choice([text, ""]), "content": [{"type": "text", "text": text}]}, {"sender": "assistant", "text": theirs}]})
        wanted.append(set(own))
    with Store() as store:
        store.put("gpt/conversations-000.json", "[" + ",\n".join(chatgpt[:150]) + "]")
        store.put("gpt/conversations-001.json", "\ufeff[" + ",\r\n".join(chatgpt[150:]) + "]")
        store.put("gpt/chat.html", "<p>theirs1z</p>")
        store.put("claude/conversations.json", json.dumps(claude))
        documents, said = store.imported()
        check("conversations", documents, wanted, said)


@pytest.mark.parametrize("form", ["[{0:%d.%m.%y}, {0:%H:%M:%S}] {1}: {2}", "{0:%d/%m/%Y}, {0:%H:%M} - {1}: {2}", "{0:%m/%d/%y}, {0:%I:%M}\u202f{0:%p} - {1}: {2}", "\u200e[{0:%Y-%m-%d}, {0:%H:%M:%S}] {1}: {2}"])
def test_whatsapp(form):
    words = Words(form)
    days = collections.defaultdict(set)
    moment, lines = datetime.datetime(2024, 1, 15, 8, 0), []
    for _ in range(400):
        moment += datetime.timedelta(minutes=words.random.randrange(600))
        if words.random.random() < 0.5:
            text, own = words.text(letters=LETTERS)
            days[moment.date()] |= set(own)
            lines.append(form.format(moment, "Ada", text))
        else:
            lines.append(form.format(moment, "Bob", words.text("theirs")[0]))
    with Store() as store:
        documents, said = store.imported(store.put("WhatsApp Chat with Bob.txt", "\n".join(lines)))
        check("days of chats", documents, list(days.values()), said)
        assert sorted(document["time"][:10] for document in documents) == sorted(day.isoformat() for day in days)


# Records

TIMES = [1714557600, 1714557600.0, 1714557600000, "1714557600", "2024-05-01T10:00:00Z", "2024-05-01T12:00:00+02:00", "2024-05-01 12:00:00 +0200", "2024-05-01 10:00:00",
         "Wed, 01 May 2024 10:00:00 +0000", "2024-05-01T10:00:00.000Z", None, "", "soon"]


@pytest.mark.parametrize("seed", range(3))
def test_records(seed):
    words = Words(300 + seed)
    chance = words.random
    wanted, times, records = [], {}, []
    for number in range(600):
        text, own = words.text(letters=LETTERS)
        title = words.word("mine", "aeiou")
        when = chance.choice(TIMES)
        record = {chance.choice(["text", "content", "body", "output"]): text, chance.choice(["title", "subject"]): title, chance.choice(["date", "created_at", "time"]): when}
        if chance.random() < 0.5:
            record["id"] = chance.choice([number, str(number)])
        if chance.random() < 0.3:
            record["tags"] = chance.choice([["a", "b"], "a, b", "#a #b", None, []])
        records.append(record)
        wanted.append({title, *own})
        times[title] = when
    lines, listed, rows = records[:200], records[200:400], records[400:]
    with Store() as store:
        ends = chance.choice(["\n", "\r\n"])
        store.put("a.jsonl", chance.choice(["", "\ufeff"]) + ends.join(json.dumps(line, ensure_ascii=chance.random() < 0.5) + chance.choice(["", ends]) for line in lines))
        store.put("b.json", json.dumps(listed, indent=chance.choice([None, 2])).encode(chance.choice(["utf-8", "utf-8-sig", "utf-16"])))
        table = io.StringIO(newline="")
        dialect = chance.choice(["excel", "excel-tab", "unix"])
        writer = csv.writer(table, dialect=dialect)
        writer.writerow(["id", "title", "text", "date"])
        for row in rows:
            text = next(row[name] for name in ("text", "content", "body", "output") if name in row)
            title = row.get("title") or row.get("subject")
            writer.writerow([row.get("id", ""), title, text, times[title]])
        store.put("c.tsv" if dialect == "excel-tab" else "c.csv", table.getvalue().encode(chance.choice(["utf-8", "utf-8-sig"])))
        documents, said = store.imported()
        check("records", documents, wanted, said)
        for document in documents:
            when = times[document["title"]]
            assert document["time"] == (None if when in (None, "", "soon") else "2024-05-01T10:00:00Z"), (document, when)


# Many


def test_many_notes_take_no_time_and_no_memory():
    count = int(os.environ.get("COSTEER_FILES_MANY", "5000"))
    words = Words(400)
    with Store() as store:
        for number in range(count):
            store.put(f"{number % 100}/{number}.md", f"---\ntitle: Note {number}\ndate: 2024-05-01\ntags: [a, b]\n---\n" + words.text(lines=6)[0])
        began = time.monotonic()
        # The command is run by a shell that tells its greatest size.
        code, said, err = store.run("import", "--profile", "ada", "--json", os.path.join(store.home, "in"))
        took = time.monotonic() - began
        assert code == 0 and json.loads(said.splitlines()[-1])["added"] == count, err
        print(f"\n{count} notes in {took:.1f} s")
        assert took < 10 + count * 60 / 100_000
