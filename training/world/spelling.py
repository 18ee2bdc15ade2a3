"""Made-up names, letter by letter.

The pair copies names it never saw because names are spelled in single letters and most names in training are made up here. The generator is a
smoothed letter model of real names: broad enough that every plausible next letter stays among a big model's 20 best, which is all that steering can pick from.
"""
import random
import string
from collections import Counter

from . import names

END = "$"
LETTERS = string.ascii_lowercase


_EVERY_NAME = (*names.PEOPLE, *names.PETS, *names.CITIES)
_INITIAL_POWER = 0.6
_UNIFORM = 0.02
_BACKING_OFF = {"kind": 10.0, "one": 100.0, "two": 20.0}
"""How many observations of a context outweigh the next simpler one: vowel or consonant twice, one letter, two letters."""


def _contexts(stem: str) -> dict[str, str]:
    """What the next letter depends on, from the simplest to the most telling."""
    kinds = "".join("V" if letter in "aeiouy" else "C" for letter in stem[-2:])
    marked = "^" + stem
    return {"kind": kinds, "one": marked[-1], "two": marked[-2:]}


def _counts() -> tuple[dict[str, Counter[str]], Counter[str]]:
    after: dict[str, Counter[str]] = {}
    single: Counter[str] = Counter()
    for name in _EVERY_NAME:
        text = name.lower() + END
        for i in range(1, len(text)):
            for context in _contexts(text[:i]).values():
                after.setdefault(context, Counter())[text[i]] += 1
            single[text[i]] += 1
    return after, single


class Speller:
    """Letter model over all name lists that backs off to plain letter frequency, with the initials of one list."""

    _after, _single = _counts()

    def __init__(self, examples: list[str]) -> None:
        own, every = Counter(name[0] for name in examples), Counter(name[0] for name in _EVERY_NAME)
        shares = {c: own[c] / len(examples) + every[c] / len(_EVERY_NAME) + 1e-3 for c in string.ascii_uppercase}
        self._capitals = _normalised({c: share**_INITIAL_POWER for c, share in shares.items()})
        self._cache: dict[tuple[str, bool], dict[str, float]] = {}

    def first(self) -> dict[str, float]:
        """Probabilities of A..Z."""
        return self._capitals

    def following(self, stem: str) -> dict[str, float]:
        """Probabilities of a..z and the end after the lower-cased `stem`."""
        key = (stem[-2:], len(stem) >= 3)
        if len(stem) < 2 or key not in self._cache:
            backed = _normalised(dict(self._single) | {letter: self._single[letter] for letter in LETTERS + END})
            for name, context in _contexts(stem).items():
                counts, strength = self._after.get(context, Counter()), _BACKING_OFF[name]
                backed = {c: (counts[c] + strength * share) / (counts.total() + strength) for c, share in backed.items()}
            weights = {c: (1 - _UNIFORM) * share + _UNIFORM / len(backed) for c, share in backed.items()}
            if len(stem) < 3:
                weights[END] = 0.0
            if len(stem) < 2:
                return _normalised(weights)
            self._cache[key] = _normalised(weights)
        return self._cache[key]

    def draw(self, rng: random.Random) -> str:
        """A capitalised made-up name of three to ten letters with at least one vowel, never one that is kept back."""
        while True:
            name = _draw(rng, self.first()).lower()
            while len(name) < 11:
                letter = _draw(rng, self.following(name))
                if letter == END:
                    break
                name += letter
            if 3 <= len(name) <= 10 and set(name) & set("aeiouy") and name.capitalize() not in KEPT_BACK:
                return name.capitalize()


def _normalised(weights: dict[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {symbol: weight / total for symbol, weight in weights.items()}


def _draw(rng: random.Random, probabilities: dict[str, float]) -> str:
    return rng.choices(list(probabilities), list(probabilities.values()))[0]


KEPT_BACK = frozenset(word for group in names.UNSEEN.values() for name in group for word in name.split())
SPELLERS = {"people": Speller(names.PEOPLE), "pets": Speller(names.PETS), "cities": Speller(names.CITIES)}
POOLS = {"people": names.PEOPLE, "pets": names.PETS, "cities": names.CITIES}
MADE_UP_SHARE = 0.75
TWO_WORD_SHARE = 0.07
_FIRST_WORDS = ("New", "San", "Saint", "Santa", "Port", "La", "El", "Los", "Le", "Rio", "Fort")


def draw_name(rng: random.Random, pool: str) -> str:
    """A name for training or for the main evaluation set: mostly made up, else from the real lists."""
    if pool == "cities" and rng.random() < TWO_WORD_SHARE:
        kind = rng.random()
        if kind < 0.2:
            return rng.choice(names.TWO_WORD_CITIES)
        if kind < 0.6:
            return f"{rng.choice(_FIRST_WORDS)} {SPELLERS['cities'].draw(rng)}"
        return f"{SPELLERS['cities'].draw(rng)} {rng.choice(('City', 'Bay', 'Park', SPELLERS['cities'].draw(rng)))}"
    if rng.random() < MADE_UP_SHARE:
        return SPELLERS[pool].draw(rng)
    return rng.choice(POOLS[pool])
