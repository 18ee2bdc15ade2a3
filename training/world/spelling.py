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


class Speller:
    """Letter model of order two, mixed with order one and with a uniform share, so that no pair of letters is impossible."""

    def __init__(self, examples: list[str], initial_power: float = 0.6, uniform: float = 0.03) -> None:
        initials = Counter(name[0] for name in examples)
        capitals = string.ascii_uppercase
        self._capitals = capitals
        self._capital_weights = [(initials[letter] + 0.5) ** initial_power for letter in capitals]
        one: dict[str, Counter[str]] = {}
        two: dict[str, Counter[str]] = {}
        for name in examples:
            text = "^" + name.lower() + END
            for i in range(1, len(text)):
                one.setdefault(text[i - 1], Counter())[text[i]] += 1
                if i > 1:
                    two.setdefault(text[i - 2 : i], Counter())[text[i]] += 1
        self._one, self._two, self._uniform = one, two, uniform
        self._cache: dict[str, list[float]] = {}

    def weights(self, stem: str) -> list[float]:
        """Weights of a..z and the end after the lower-cased `stem`."""
        key = ("^" + stem)[-2:]
        if key not in self._cache:
            two, one = self._two.get(key, Counter()), self._one.get(key[-1], Counter())
            trust = sum(two.values()) / (sum(two.values()) + 4.0)
            total_two, total_one = max(1, sum(two.values())), max(1, sum(one.values()))
            self._cache[key] = [
                (1 - self._uniform) * (trust * two[c] / total_two + (1 - trust) * one[c] / total_one) + self._uniform / 27
                for c in LETTERS + END
            ]
        return self._cache[key]

    def draw(self, rng: random.Random) -> str:
        """A capitalised made-up name of three to ten letters with at least one vowel, never one that is kept back."""
        while True:
            name = rng.choices(self._capitals, self._capital_weights)[0].lower()
            while len(name) < 11:
                letter = rng.choices(LETTERS + END, self.weights(name))[0]
                if letter == END:
                    break
                name += letter
            if 3 <= len(name) <= 10 and set(name) & set("aeiouy") and name.capitalize() not in KEPT_BACK:
                return name.capitalize()


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
