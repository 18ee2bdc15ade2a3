"""Renders a person as the private context that a user would write down."""
import random

from .facts import ATTRIBUTE_FACTS, COPIED_FACTS, DISTRACTORS, FILLERS
from .persona import Persona
from .spelling import draw_name
from .topics import ATTRIBUTES, Topic

SHOWN_SHARE = 0.8
OTHER_SHARE = 0.25
_HEADERS = ("About me:", "Profile:", "Notes:", "Facts about the user:", "My notes:")


def _pick(rng: random.Random, paraphrases: tuple[str, ...], held_out: float) -> str:
    if rng.random() < held_out:
        return paraphrases[-1]
    return rng.choice(paraphrases[:-1])


def shown_values(rng: random.Random, topic: Topic | None, persona: Persona, focus: bool = False) -> list[str]:
    """Which attribute values the notes give away: mostly those that matter, some that do not. With `focus`, exactly those that matter."""
    wanted = topic.attributes if topic else ()
    if focus:
        return [persona.values[name] for name in wanted]
    return [persona.values[name] for name in ATTRIBUTES if rng.random() < (SHOWN_SHARE if name in wanted else OTHER_SHARE)]


def distractor(rng: random.Random, names=draw_name) -> str:
    """A sentence that names people, pets or places which do not matter."""
    text = rng.choice(DISTRACTORS)
    for pool in ("people", "pets", "cities"):
        if "{" + pool + "}" in text:
            text = text.replace("{" + pool + "}", names(rng, pool))
    return text


def render(rng: random.Random, persona: Persona, values: list[str], fillers: int, held_out: float = 0.0, names=draw_name) -> str:
    """The notes, in random order and one of several layouts; copied facts keep the person's order."""
    copied = [_pick(rng, COPIED_FACTS[kind], held_out).replace("{name}", name) for kind, name in persona.copied.items()]
    others = [_pick(rng, ATTRIBUTE_FACTS[value], held_out) for value in values]
    if persona.tone != "neutral":
        others.append(_pick(rng, ATTRIBUTE_FACTS[persona.tone], held_out))
    if persona.length != "normal":
        others.append(_pick(rng, ATTRIBUTE_FACTS[persona.length], held_out))
    for _ in range(fillers):
        others.append(distractor(rng, names) if rng.random() < 0.2 else rng.choice(FILLERS))
    places = [None] * len(copied) + others
    rng.shuffle(places)
    order = iter(copied)
    lines = [text if text is not None else next(order) for text in places]
    layout = rng.random()
    if layout < 0.65:
        return " ".join(lines)
    if layout < 0.85:
        body = "\n".join(lines)
    else:
        body = "\n".join("- " + line for line in lines)
    return f"{rng.choice(_HEADERS)}\n{body}" if rng.random() < 0.4 else body
