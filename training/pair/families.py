"""The two families of tokenizers, with what training must know of each: how a prompt is written in it, and what ends a turn."""
import random
from dataclasses import dataclass
from typing import Callable

from tokenizers import Tokenizer

from . import pieces, tokenizer as words
from .tokenizer import Breaker


@dataclass(frozen=True)
class Family:
    """A tokenizer and its chat template."""

    tokenizer: Tokenizer
    end: str
    translated: Callable[[str], str]
    """A prompt in ChatML, written in the family's template."""
    broken: Callable[[random.Random, list[int]], list[int]]
    """Now and then splits a word of a prompt otherwise than the tokenizer does."""

    def prompt(self, chatml: str) -> list[int]:
        return self.tokenizer.encode(self.translated(chatml)).ids

    def answer(self, text: str) -> list[int]:
        """Ids of a text that goes on where a prompt ended: nothing is prepended to it."""
        return self.tokenizer.encode(self.end + text).ids[1:]

    def end_id(self) -> int:
        return self.tokenizer.token_to_id(self.end)


def of(name: str, breaking: float = 0.0) -> Family:
    """`words` is the shipped pair's, `pieces` the second small model's; `breaking` is the share of words that are split."""
    if name == "words":
        tokenizer = words.build()
        return Family(tokenizer, words.END, lambda text: text, Breaker(tokenizer, breaking))
    return Family(pieces.build(), pieces.END_OF_TURN, _as_pieces, lambda _rng, ids: ids)


def _as_pieces(chatml: str) -> str:
    for role in pieces.ROLES:
        chatml = chatml.replace(f"{words.START}{role}\n", f"<|{role}|>\n")
    return chatml.replace(words.END, pieces.END_OF_TURN)
