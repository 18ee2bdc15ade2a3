"""Names must always be spelled in single letters; the exported files must be the tokenizer that training used."""
import random

import pytest

from pair.settings import MODELS, VOCABULARY
from pair.tokenizer import build, world_texts
from world import names
from world.spelling import draw_name

TOKENIZER = build()


def spelled(name: str) -> list[str]:
    return [("Ġ" if i == 0 else "") + letter for word in name.split() for i, letter in enumerate(word)]


@pytest.mark.parametrize("pool", sorted(names.UNSEEN))
def test_unseen_names_are_spelled(pool: str) -> None:
    for name in names.UNSEEN[pool]:
        assert TOKENIZER.encode(" " + name).tokens == spelled(name)


def test_drawn_names_are_spelled_before_any_punctuation() -> None:
    rng = random.Random(5)
    for _ in range(3000):
        name = draw_name(rng, rng.choice(("people", "pets", "cities")))
        assert TOKENIZER.encode(f" {name}.").tokens == [*spelled(name), "."]


def test_no_merge_contains_two_letters_with_a_capital() -> None:
    for text in TOKENIZER.get_vocab():
        letters = text.removeprefix("Ġ")
        assert text.startswith("<|") or len(letters) == 1 or letters.lower() == letters


def test_known_words_are_one_token() -> None:
    for word in (" dog", " gluten", "-free", " chickpea", " vegetarian"):
        assert len(TOKENIZER.encode(word).ids) == 1


def test_text_survives() -> None:
    for text in [*world_texts(), "Çà et là, Zoë – 42 €", "tab\tand\n\nlines  "]:
        assert TOKENIZER.decode(TOKENIZER.encode(text).ids) == text


def test_vocabulary_fits_the_models() -> None:
    assert TOKENIZER.get_vocab_size() <= VOCABULARY


def test_exported_tokenizers_are_this_one() -> None:
    for role in ("slm", "llm"):
        assert (MODELS / role / "tokenizer.json").read_text() == TOKENIZER.to_str(pretty=True)
