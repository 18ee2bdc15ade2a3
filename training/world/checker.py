"""Parses an answer with the world's grammar and scores it against what its reader told about themselves."""
import re
from dataclasses import dataclass, field

from .answers import CLOSERS, FRAMES, GENERAL_CLOSERS, NOT_TOLD, RECALLED
from .topics import BY_NOUN, REASONS, TOPICS

_NAME = r"(?P<name>[A-Z][A-Za-z'-]*(?: [A-Z][A-Za-z'-]*)?)"


def _pattern(template: str, **groups: str) -> re.Pattern[str]:
    text = re.escape(template)
    for key, group in groups.items():
        text = text.replace(re.escape("{" + key + "}"), group)
    return re.compile(text)


_NOUN = "|".join(sorted((re.escape(topic.noun) for topic in TOPICS), key=len, reverse=True))
_FRAMES = [
    (tone, _pattern(frame, adjectives=r"(?P<adjectives>[a-z -]+?)", noun=f"(?P<noun>{_NOUN})", option=r"(?P<option>[a-z -]+)"))
    for tone, frames in FRAMES.items()
    for frame in frames
]
_CLOSERS = {kind: _pattern(text, name=_NAME) for kind, text in CLOSERS.items()}
_RECALLED = {kind: _pattern(text, name=_NAME) for kind, text in RECALLED.items()}


@dataclass
class Parsed:
    """What an answer says, as far as the grammar goes; `whole` is true when it goes to the end."""

    tone: str | None = None
    noun: str | None = None
    adjectives: str | None = None
    option: str | None = None
    reasons: list[str] = field(default_factory=list)
    copied: list[tuple[str, str]] = field(default_factory=list)
    general: int = 0
    whole: bool = False


def parse(answer: str) -> Parsed:
    """Reads the first sentence, then reasons, then closers."""
    result, rest = Parsed(), answer.strip()
    for tone, pattern in _FRAMES:
        if match := pattern.match(rest):
            result.tone, result.noun = tone, match["noun"]
            result.adjectives, result.option = match["adjectives"], match["option"]
            rest = rest[match.end() :].strip()
            break
    else:
        return result
    reasons = [text for texts in REASONS.values() for text in texts] + [topic.reason for topic in TOPICS]
    while found := next((text for text in reasons if rest.startswith(text)), None):
        result.reasons.append(found)
        rest = rest[len(found) :].strip()
    while rest:
        for kind, pattern in _CLOSERS.items():
            if match := pattern.match(rest):
                result.copied.append((kind, match["name"]))
                rest = rest[match.end() :].strip()
                break
        else:
            found = next((text for text in GENERAL_CLOSERS if rest.startswith(text)), None)
            if found is None:
                return result
            result.general += 1
            rest = rest[len(found) :].strip()
    result.whole = True
    return result


def score_recommendation(answer: str, expected: dict) -> dict:
    """Verdicts by name; those that do not apply to the item are left out. `success` is all of them at once; `each_name` judges every fact that the answer
    states, one by one.

    `expected`: topic (noun), values (attribute → value, only those the notes give), tone, length, copied (kind → name).
    """
    said, topic = parse(answer), BY_NOUN[expected["topic"]]
    verdicts = {"topic": said.noun == topic.noun}
    known = said.noun is not None and said.adjectives in BY_NOUN[said.noun].options
    claimed = BY_NOUN[said.noun].values(said.adjectives) if known else {}
    supported = {text for value in claimed.values() for text in REASONS[value]} | ({BY_NOUN[said.noun].reason} if known else set())
    verdicts["coherent"] = known and said.option in BY_NOUN[said.noun].options[said.adjectives] and set(said.reasons) <= supported
    kinds = [kind for kind, _ in said.copied]
    verdicts["well_formed"] = said.whole and len(set(kinds)) == len(kinds) and len(set(said.reasons)) == len(said.reasons)
    if expected["values"]:
        verdicts["attributes"] = all(claimed.get(name) == value for name, value in expected["values"].items())
    if expected["tone"] != "neutral":
        verdicts["tone"] = said.tone == expected["tone"]
    if expected["length"] == "brief":
        verdicts["length"] = said.tone is not None and said.whole and not said.reasons and not said.copied and not said.general
    elif expected["length"] == "detailed":
        verdicts["length"] = len(said.reasons) == 2
    verdicts["nothing_invented"] = all(kind in expected["copied"] for kind in kinds)
    if expected["copied"] and expected["length"] != "brief":
        verdicts["copied"] = bool(kinds) and all(expected["copied"].get(kind) == name for kind, name in said.copied)
    each_name = [expected["copied"][kind] == name for kind, name in said.copied if kind in expected["copied"]]
    return verdicts | {"success": all(verdicts.values()), "each_name": each_name}


def score_recall(answer: str, expected: dict) -> dict[str, bool]:
    """`expected`: asked (kind), name (None when the notes do not tell)."""
    if expected["name"] is None:
        verdicts = {"not_told": answer.strip() == NOT_TOLD}
    else:
        verdicts = {"recalled": answer.strip() == RECALLED[expected["asked"]].format(name=expected["name"])}
    return verdicts | {"success": all(verdicts.values())}


def score(answer: str, item: dict) -> dict:
    """The verdicts on an answer to an item of any kind; `success` once more under the kind of its topic."""
    expected = item["expected"]
    if "asked" in expected:
        return score_recall(answer, expected)
    verdicts = score_recommendation(answer, expected)
    return verdicts | {"known_topics" if item["core"] else "rare_topics": verdicts["success"]}
