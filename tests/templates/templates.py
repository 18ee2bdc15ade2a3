"""Holds the prompts of all templates of a folder against those of transformers: templates.py BINARY FOLDER.

A template is equal when each of its chats is written in the same bytes. Chats that transformers refuses do not count; they are listed. At most two
templates may differ.
"""
import datetime
import json
import sys
import tempfile
from pathlib import Path

from transformers.utils.chat_template_utils import render_jinja_template

from chats import CHATS, SWITCHES
from render import render

SPECIALS = {"bos_token": "<s>", "eos_token": "</s>"}
MOST_THAT_DIFFER = 2


def judged(template: str, chat: dict) -> str:
    """What transformers makes of the chat."""
    rendered, _ = render_jinja_template(
        conversations=[chat["messages"]],
        tools=chat.get("tools"),
        documents=None,
        chat_template=template,
        add_generation_prompt=chat.get("add_generation_prompt", True),
        **SPECIALS,
        **chat.get("chat_template_kwargs", {}),
    )
    return rendered[0]


def first_difference(ours: str, theirs: str) -> str:
    same = next((at for at, (one, other) in enumerate(zip(ours, theirs)) if one != other), min(len(ours), len(theirs)))
    near = slice(max(0, same - 30), same + 60)
    return f"wanted …{theirs[near]!r}, got …{ours[near]!r}"


def main() -> int:
    binary, folder = sys.argv[1], Path(sys.argv[2])
    templates = sorted(folder.glob("*.jinja"))
    chats = {**CHATS, **SWITCHES}
    differ, refused, counted = [], [], 0
    with tempfile.TemporaryDirectory() as model:
        (Path(model) / "tokenizer_config.json").write_text(json.dumps(SPECIALS))
        for path in templates:
            # Templates may write the date.
            day, answers = None, []
            while day != (day := datetime.date.today()):
                answers = render(binary, Path(model), list(chats.values()), "--template", str(path))
            source = path.read_text(encoding="utf-8")
            wrong = []
            for (name, chat), answer in zip(chats.items(), answers):
                try:
                    theirs = judged(source, chat)
                except Exception as error:  # Whatever a template raises is a refusal.
                    refused.append(f"{path.name}, {name}: {type(error).__name__}")
                    continue
                counted += 1
                ours = answer.get("text")
                if ours != theirs:
                    why = answer["error"] if ours is None else first_difference(ours, theirs)
                    wrong.append(f"{path.name}, {name}: {why}")
            if wrong:
                differ.append(path.name)
                print(*wrong, sep="\n")
    print("refused by transformers:", *refused, sep="\n  ")
    print(f"{len(templates) - len(differ)} of {len(templates)} templates are written in the same bytes, {counted} chats; other: {differ}")
    return int(not templates or len(differ) > MOST_THAT_DIFFER)


if __name__ == "__main__":
    sys.exit(main())
