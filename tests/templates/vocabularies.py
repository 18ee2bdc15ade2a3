"""Holds the ids that the product makes with nothing but a GGUF file against those that the tokenizers library makes with the original file.

    vocabularies.py BINARY GGUF TOKENIZER_JSON
"""
import sys
from pathlib import Path

from tokenizers import Tokenizer

from lines import lines
from render import render

COUNT = 10_000


def main() -> int:
    binary, model, original = sys.argv[1], Path(sys.argv[2]), Tokenizer.from_file(sys.argv[3])
    texts = lines(COUNT)
    answers = render(binary, model, [{"text": text} for text in texts], "--ids")
    wrong = 0
    for text, answer in zip(texts, answers, strict=True):
        ids = original.encode(text, add_special_tokens=False).ids
        if answer.get("ids") != ids:
            wrong += 1
            if wrong <= 5:
                print(f"{text!r}: wanted {ids}, got {answer}")
    print(f"{model.name}: {COUNT - wrong} of {COUNT} lines in the same ids")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
