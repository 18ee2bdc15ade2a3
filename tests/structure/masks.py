"""Writes which tokens llguidance itself allows at every position of answers: masks.py TOKENIZER.json ANSWERS MASKS.

ANSWERS is what check.py wrote. A line of MASKS is a schema, the answer's ids, and for each position the number of allowed tokens and a SHA-256 of their
ids. The test masks_are_those_of_the_library_itself reads it.
"""
import hashlib
import json
import struct
import sys

import numpy
from llguidance import LLMatcher, LLTokenizer
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask

# As in src/structure/compiler.rs.
WRITTEN = {"whitespace_flexible": False, "key_separator": ": ", "item_separator": ", "}


def allowed(matcher: LLMatcher, tokenizer: LLTokenizer) -> list[int]:
    bits = allocate_token_bitmask(1, tokenizer.vocab_size)
    fill_next_token_bitmask(matcher, bits, 0)
    unpacked = numpy.unpackbits(bits.view(numpy.uint8), bitorder="little")[: tokenizer.vocab_size]
    return numpy.flatnonzero(unpacked).tolist()


def main() -> None:
    path, answers, masks = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        tokenizer = LLTokenizer(file.read())
    positions = 0
    with open(answers, encoding="utf-8") as file, open(masks, "w", encoding="utf-8") as out:
        for line in file:
            answer = json.loads(line)
            schema = {**answer["schema"], "x-guidance": WRITTEN}
            matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_json_schema(json.dumps(schema)))
            ids = tokenizer.tokenize_str(answer["text"])
            found = []
            for token in [*ids, None]:
                tokens = [id for id in allowed(matcher, tokenizer) if id not in tokenizer.eos_tokens]
                found.append([len(tokens), matcher.is_accepting(), hashlib.sha256(b"".join(struct.pack("<I", id) for id in tokens)).hexdigest()])
                if token is None or token not in tokens:
                    break
                assert matcher.consume_token(token), matcher.get_error()
            positions += len(found)
            json.dump({"schema": answer["schema"], "ids": ids[: len(found) - 1], "masks": found}, out)
            out.write("\n")
    print(f"{positions} masks of llguidance")


if __name__ == "__main__":
    main()
