"""Files that nobody here wrote: what comes with the crates that this program is made of, and the mails of CPython's own tests. Each has an
outcome that is known before."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sysconfig

import pytest
from proxy import Store

ROOT = pathlib.Path(__file__).parents[2]
NOTES = {".md", ".txt", ".rst", ".org", ".html"}
MOST = 4 << 20


def words(text):
    return set(re.findall(r"\w+", text))


def crates():
    """The folders of the crates in Cargo.lock, as cargo has unpacked them."""
    asked = ["cargo", "metadata", "--format-version", "1", "--locked", "--offline"]
    try:
        said = subprocess.run(asked, cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("it needs cargo, and the crates that it has fetched")
    packages = json.loads(said)["packages"]
    return sorted(pathlib.Path(package["manifest_path"]).parent for package in packages if package["source"])


def test_texts_of_crates_come_back_whole():
    with Store() as store:
        wanted = {}
        for crate in crates():
            for path in sorted(crate.rglob("*")):
                if path.suffix.lower() not in NOTES or not path.is_file() or path.stat().st_size > MOST or len(wanted) >= 1500:
                    continue
                try:
                    text = path.read_text("utf-8")
                except UnicodeDecodeError:
                    continue
                # What stands in hidden folders is not read.
                inside = path.relative_to(crate)
                if "\0" in text or not text.strip() or any(part.startswith(".") for part in inside.parts):
                    continue
                name = f"{crate.name}/{inside}"
                store.put(name, path.read_bytes())
                wanted[name] = text
        assert len(wanted) >= 300
        documents, (code, said, err) = store.imported()
        assert code == 0 and said["problems"] == 0, err
        found = {document["source"].split("/in/", 1)[1]: document for document in documents}
        lost = {}
        for name, text in wanted.items():
            document = found.get(name)
            if document is None:
                # The same file of two crates is one document, and what has only marks has no text.
                twins = [other for other in wanted if other != name and wanted[other] == text and os.path.basename(other) == os.path.basename(name)]
                if not twins and words(re.sub(r"(?si)<(script|style)\b.*?</\1>|<[^>]*>", "", text)):
                    lost[name] = "left out"
                continue
            missing = words(text) - words(document["title"] + "\n" + document["text"])
            # HTML and front matter have words that are no text.
            if missing and not name.endswith(".html") and not text.startswith(("---", "+++")):
                lost[name] = sorted(missing)[:5]
        print(f"\n{len(wanted)} texts of crates, {len(found)} documents")
        assert not lost


# What CPython's messages come to; those that are not named here become one document each.
outcomes = pathlib.Path(__file__).with_name("cpython.txt").read_text().splitlines()
STATED = dict(line.split(": ", 1) for line in outcomes if line and not line.startswith("#"))


def test_cpythons_mails_come_to_what_is_stated():
    data = pathlib.Path(sysconfig.get_path("stdlib"), "test", "test_email", "data")
    if not data.is_dir():
        pytest.skip("this Python comes without its tests")
    came = {}
    for path in sorted(data.glob("*.txt")):
        with Store() as store:
            shutil.copyfile(path, os.path.join(store.home, path.stem + ".eml"))
            documents, (code, said, err) = store.imported(os.path.join(store.home, path.stem + ".eml"), options=["--format", "mail"])
            if documents:
                came[path.name] = "; ".join(f"{len(document['text'].split())} words" for document in documents)
            elif said.get("skipped"):
                came[path.name] = ", ".join(said["skipped"])
            else:
                came[path.name] = err.strip().rsplit(": ", 1)[-1]
    if os.environ.get("COSTEER_FILES_STATE"):
        print("\n" + "\n".join(f"{name}: {outcome}" for name, outcome in came.items()))
    print(f"\n{len(came)} mails of CPython's")
    assert came == {name: STATED.get(name) for name in came}
