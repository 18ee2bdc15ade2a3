"""Random words that are told apart: those of the owner of the files, which must come back, and those of others, which must not."""

import random
import re

LETTERS = "aeiouäöüéñçøßбдежиклмнопрст日本語"


class Words:
    """Makes words that no other document has. A word of the owner's begins with "mine", one of somebody else's with "theirs"."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.count = 0

    def word(self, kind, letters):
        self.count += 1
        tail = "".join(self.random.choice(letters) for _ in range(self.random.randint(0, 4)))
        return f"{kind}{self.count}z{tail}"

    def text(self, kind="mine", lines=None, letters="aeiou"):
        """Some lines of some words, and the words."""
        lines = lines or self.random.randint(1, 5)
        words, out = [], []
        for _ in range(lines):
            row = [self.word(kind, letters) for _ in range(self.random.randint(1, 9))]
            words += row
            out.append(" ".join(row) + self.random.choice(["", ".", "?", ","]))
        return "\n".join(out), words


def found(text, kind):
    """The words of that kind in a text."""
    return set(re.findall(rf"{kind}\d+z\w*", text))
