"""A person: latent attribute values, and facts whose values answers copy.

The answer is always rendered from the whole person; whether the notes are shown is decided afterwards. So every distribution without notes is the marginal
over people, and log p(with notes) - log p(without) estimates the information that the notes carry. All models must be trained on this one prior.
"""
import hashlib
import random
from dataclasses import dataclass

from .facts import KINDS
from .spelling import draw_name
from .topics import ATTRIBUTES, Topic

TONES = {"neutral": 0.4, "formal": 0.2, "casual": 0.2, "pirate": 0.2}
LENGTHS = {"normal": 0.7, "brief": 0.15, "detailed": 0.15}
COPIED_COUNTS = {0: 0.3, 1: 0.4, 2: 0.2, 3: 0.1}
KIND_WEIGHTS = {"name": 1.3, "city": 1.3, "dog": 1.3, "cat": 1.3, "daughter": 0.8, "son": 0.8, "partner": 0.8, "friend": 0.8}
ASKED_KNOWN_SHARE = 0.75


@dataclass(frozen=True)
class Persona:
    """`values` has every attribute; `copied` maps a kind to a name, in the order in which the notes give them."""

    values: dict[str, str]
    tone: str
    length: str
    copied: dict[str, str]


def _weighted(rng: random.Random, table: dict) -> str:
    return rng.choices(list(table), list(table.values()))[0]


def draw_kinds(rng: random.Random, count: int, without: tuple[str, ...] = ()) -> list[str]:
    """Distinct kinds, by weight."""
    left = {kind: weight for kind, weight in KIND_WEIGHTS.items() if kind not in without}
    kinds = []
    for _ in range(count):
        kinds.append(_weighted(rng, left))
        del left[kinds[-1]]
    return kinds


def draw_persona(rng: random.Random, asked: str | None = None, names=draw_name, crowd: int = 0) -> Persona:
    """A person from the prior. With `asked`, a kind, the person is one of whom that kind is asked: three in four have it.

    `crowd` adds up to so many facts of other kinds, which must be told apart from the one asked for; the answer does not depend on them, so the prior over answers stays.
    """
    count = _weighted(rng, COPIED_COUNTS)
    if asked is None:
        kinds = draw_kinds(rng, count)
    else:
        kinds = draw_kinds(rng, count + rng.randrange(crowd + 1), without=(asked,))
        if rng.random() < ASKED_KNOWN_SHARE:
            kinds.insert(rng.randrange(len(kinds) + 1), asked)
    return Persona(
        values={name: rng.choice(values) for name, values in ATTRIBUTES.items()},
        tone=_weighted(rng, TONES),
        length=_weighted(rng, LENGTHS),
        copied={kind: names(rng, KINDS[kind]) for kind in kinds},
    )


def is_held_out(topic: Topic, persona: Persona) -> bool:
    """One combination in eight (topic, relevant values, tone, length, kinds of facts) never occurs in training."""
    key = "|".join([topic.noun, topic.adjectives(persona.values), persona.tone, persona.length, *sorted(persona.copied)])
    return hashlib.sha256(key.encode()).digest()[0] % 8 == 0
