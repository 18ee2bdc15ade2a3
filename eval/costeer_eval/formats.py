"""Readers of data sets: each turns a row of JSON into an item.

The eight sets of the CoSteer paper (arXiv:2507.04756, section 5) have three shapes: a personalised input (cogenesis), a history of five texts
(longlamp), and a question alone, which goes with one of four preferences.
"""
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path


class BadRow(Exception):
    """A row that is not what its format says, or a file without any."""


@dataclass(frozen=True)
class Item:
    """A question, what is private about it, and what a good answer is compared with."""

    id: str
    question: str
    context: str
    reference: str | None = None
    """A good answer, where the set has one."""
    row: dict = field(default_factory=dict, compare=False)
    """The row itself, for judges that know more."""


PREFERENCES = {
    "concise": "I like answers that are short and to the point.",
    "creative": "I like answers that are original and full of imagination.",
    "uplifting": "I like answers that are warm and leave me encouraged.",
    "verbose": "I like answers that are long and go into every detail.",
}


def optional(row: dict, *names: str) -> str | None:
    """The first of these fields that holds text."""
    values = (row.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value.strip()), None)


def text(row: dict, *names: str) -> str:
    """The same where there must be one."""
    found = optional(row, *names)
    if found is None:
        raise BadRow(f"it has no text in {' or '.join(names)}")
    return found


def cogenesis(row: dict) -> Item:
    """`input`; what is private in `personalized_input`, or in `profile` and `history` (a list of task and content); `output` or `reference`."""
    question, private = text(row, "input"), optional(row, "personalized_input")
    if private is not None:
        # It repeats the question, which is public.
        context = private.replace(question, "").strip()
    else:
        history = row.get("history") or []
        if not isinstance(history, list) or not all(isinstance(entry, dict) for entry in history):
            raise BadRow("history is no list of objects")
        pieces = [f"{entry.get('task', '')}\n{entry.get('content', '')}".strip() for entry in history]
        context = "\n\n".join([text(row, "profile"), *pieces])
    return Item(str(row.get("id", "")), question, context, optional(row, "output", "reference"), row)


def longlamp(form: str) -> Callable[[dict], Item]:
    """`input`; `top_5`, what the person has written before, as texts or as objects that `form` writes; `output`."""

    def read(row: dict) -> Item:
        history = row.get("top_5")
        history = [history] if isinstance(history, (str, dict)) else history
        if not isinstance(history, list) or not history:
            raise BadRow("it has no list in top_5")
        try:
            pieces = [entry if isinstance(entry, str) else form.format(**entry) for entry in history]
        except (KeyError, TypeError) as error:
            raise BadRow(f"an entry of top_5 is no text and lacks {error}") from None
        context = "\n\n".join(["What I have written before:", *pieces])
        return Item(str(row.get("id", "")), text(row, "input"), context, optional(row, "output"), row)

    return read


def preference(wish: str) -> Callable[[dict], Item]:
    """`input`, which goes with this preference; `output` where there is one."""

    def read(row: dict) -> Item:
        return Item(str(row.get("id", "")), text(row, "input"), PREFERENCES[wish], optional(row, "output"), row)

    return read


def world(row: dict) -> Item:
    """An item of training/eval: `question`, `context`, and what is `expected`."""
    if not isinstance(row.get("expected"), dict):
        raise BadRow("it has no object in expected")
    return Item(str(row.get("id", "")), text(row, "question"), text(row, "context"), None, row)


ALONE = ("helpsteer", "personal_preference_eval", "truthfulqa", "ultrachat")
FORMATS: dict[str, Callable[[dict], Item]] = {
    "world": world,
    "cogenesis": cogenesis,
    "longlamp_abstract": longlamp("The abstract of “{title}” is: {abstract}"),
    "longlamp_review": longlamp("I gave {overall} of 5 to “{description}” and wrote “{summary}”: {reviewText}"),
    "longlamp_writing": longlamp("About “{summary}” I wrote: {content}"),
    **{f"{name}_{wish}": preference(wish) for name in ALONE for wish in PREFERENCES},
}


def load(path: Path, form: str, limit: int | None = None, most_context: int | None = None) -> list[Item]:
    """The items of a file with a row of JSON on each line. An item without an id gets the number of its line; contexts are cut after
    `most_context` characters."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadRow(f"{path} cannot be read: {error}") from None
    items: dict[str, Item] = {}
    for number, line in enumerate(lines, 1):
        if limit is not None and len(items) >= limit:
            break
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise BadRow("it is no object")
            item = FORMATS[form](row)
        except (json.JSONDecodeError, BadRow) as error:
            raise BadRow(f"{path}, line {number}, is no row of {form}: {error}") from None
        item = replace(item, id=item.id or str(number), context=item.context[:most_context])
        if item.id in items:
            raise BadRow(f"{path}, line {number}: there is an item {item.id} already")
        items[item.id] = item
    if not items:
        raise BadRow(f"{path} has no rows")
    return list(items.values())
