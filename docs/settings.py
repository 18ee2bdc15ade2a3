#!/usr/bin/env python3
"""Writes the page of settings from config/default.toml, which says what each key means.

docs/settings.py          prints the page
docs/settings.py --check  compares it with the page that is there; prints the difference and exits with 1 if there is one

Needs Python 3.11 or newer and nothing else.
"""

import difflib
import json
import re
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "config" / "default.toml"
PAGE = ROOT / "docs" / "src" / "reference" / "settings.md"

HEAD = """# Settings

<!-- Made by docs/settings.py from config/default.toml. Change that file, not this page. -->

Every key, with its default, the variable that sets it, and what it means.
`costeer config` prints this list with the values that hold on your machine.
[Operating](../guide/operating.md#settings) says where settings come from and which of them win.
"""

SECTION = re.compile(r"\[([A-Za-z0-9_.-]+)\]\s*(?:#.*)?$")
KEY = re.compile(r"([A-Za-z0-9_-]+)\s*=")
KEY_IN_COMMENT = re.compile(r"#\s?([a-z0-9_]+ = .+)$")


@dataclass
class Key:
    name: str
    value: object
    is_set: bool


@dataclass
class Group:
    """Keys that follow each other under one comment."""

    meaning: list[str]
    keys: list[Key] = field(default_factory=list)


@dataclass
class Section:
    name: str
    meaning: list[str]
    groups: list[Group] = field(default_factory=list)


def parsed(text: str) -> tuple[str, object] | None:
    """The one key and value in a piece of TOML."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    return next(iter(table.items())) if len(table) == 1 else None


def read(text: str) -> list[Section]:
    sections: list[Section] = []
    comment: list[str] = []
    group: Group | None = None
    lines = iter(text.splitlines())
    for line in lines:
        line = line.strip()
        if not line:
            comment, group = [], None
        elif match := SECTION.match(line):
            sections.append(Section(match[1], comment))
            comment, group = [], None
        elif line.startswith("#") and not ((match := KEY_IN_COMMENT.match(line)) and parsed(match[1])):
            comment.append(line.removeprefix("#").strip())
            group = None
        else:
            key = one_key(line, lines)
            if not sections:
                raise SystemExit(f"{SOURCE}: {key.name} stands before the first section")
            if group is None:
                group = Group(comment)
                sections[-1].groups.append(group)
                comment = []
            group.keys.append(key)
    return sections


def one_key(line: str, lines) -> Key:
    """The key in this line; its value may go on in the next ones."""
    is_set = not line.startswith("#")
    text = line if is_set else line.removeprefix("#").strip()
    if not KEY.match(text):
        raise SystemExit(f"{SOURCE}: this line is neither a key nor a comment: {line}")
    while (found := parsed(text)) is None:
        following = next(lines, None)
        if following is None:
            raise SystemExit(f"{SOURCE}: this value does not end: {line}")
        text += "\n" + following
    return Key(found[0], found[1], is_set)


def shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def escaped(text: str) -> str:
    """Text as Markdown shows it unchanged; what stands between backticks is left alone."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return plain(text).replace("`", "\\`")
    parts[::2] = [plain(part) for part in parts[::2]]
    return "`".join(parts)


def plain(text: str) -> str:
    return re.sub(r"([\\*\[\]])", r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def prose(lines: list[str], indent: str) -> list[str]:
    return [(indent + escaped(line)).rstrip() for line in lines]


def heads(section: str, keys: list[Key]) -> list[str]:
    found = []
    for key in keys:
        variable = f"COSTEER__{section}__{key.name}".upper().replace(".", "__")
        default = f"default `{shown(key.value)}`" if key.is_set else f"unset; for example `{shown(key.value)}`"
        found.append(f"**`{section}.{key.name}`** · {default} · `{variable}`")
    # A backslash at the end of a line breaks it.
    body = [f"  {line}\\" for line in found]
    body[0] = "- " + body[0].lstrip()
    body[-1] = body[-1].removesuffix("\\")
    return body


def page(sections: list[Section]) -> str:
    lines = [HEAD.rstrip()]
    for section in sections:
        lines += ["", f"## {section.name}"]
        if section.meaning:
            lines += ["", *prose(section.meaning, "")]
        for group in section.groups:
            lines += ["", *heads(section.name, group.keys)]
            if group.meaning:
                lines += ["", *prose(group.meaning, "  ")]
    return "\n".join(lines) + "\n"


def main() -> int:
    arguments = sys.argv[1:]
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    wanted = page(read(SOURCE.read_text(encoding="utf-8")))
    if not arguments:
        sys.stdout.write(wanted)
        return 0
    there = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    names = (str(PAGE.relative_to(ROOT)), "docs/settings.py")
    difference = list(difflib.unified_diff(there.splitlines(True), wanted.splitlines(True), *names))
    sys.stdout.writelines(difference)
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
