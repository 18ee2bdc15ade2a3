"""Holds the ways of cutting texts that GGUF files name against tiktoken and the tokenizers library: cuts.py BINARY DIRECTORY.

The vocabulary is a real one, that of Mistral Nemo, which mistral-common brings. Its own way of cutting is held against tiktoken over all lines, and every other
way over fewer, with the same vocabulary: by tiktoken where the way is one pattern, and by the tokenizers library where it is several.
"""
import base64
import json
import sys
import unicodedata
from importlib.resources import files
from pathlib import Path

import gguf
import tiktoken
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from lines import lines
from render import render

MANY, FEW = 10_000, 1_500
TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"

ENGLISH = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
REST = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = ENGLISH + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + REST
QWEN2 = ENGLISH + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*" + REST
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def cased(suffix: str, digits: str, upper: str = UPPER, lower: str = LOWER, marks: str = r"[\r\n/]*") -> str:
    before = r"[^\r\n\p{L}\p{N}]?"
    return f"{before}{upper}*{lower}+{suffix}|{before}{upper}+{lower}*{suffix}|{digits}| ?[^\\s\\p{{L}}\\p{{N}}]+{marks}{REST}"


def but_chinese(letters: str) -> str:
    return letters[:-1] + r"&&[^\p{Han}]]"


TEKKEN = cased("", r"\p{N}")
GPT4O = cased(f"{ENGLISH}?", r"\p{N}{1,3}")
CHINESE = "[一-龥぀-ゟ゠-ヿ]+"
DEEPSEEK3 = r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*""" + REST
# What the models' own files say, by the names that GGUF files have for it.
WAYS: dict[str, list[str]] = {
    "gpt-2": [GPT2],
    "llama-bpe": [LLAMA3],
    "glm4": [LLAMA3],
    "chatglm-bpe": [LLAMA3],
    "dbrx": [LLAMA3],
    "qwen2": [QWEN2],
    "stablelm2": [QWEN2],
    "qwen35": [ENGLISH + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + REST],
    "gpt-4o": [GPT4O],
    "kimi-k2": [r"[\p{Han}]+|" + cased(f"{ENGLISH}?", r"\p{N}{1,3}", but_chinese(UPPER), but_chinese(LOWER), r"[\r\n]*")],
    "seed-coder": [ENGLISH + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+" + REST],
    "bailingmoe": [r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"],
    "smollm": [r"\p{N}", GPT2],
    "starcoder": [r"\p{N}", GPT2],
    "falcon": [r"[\p{P}\$\+<=>\^~\|`]+", GPT2, "[0-9][0-9][0-9]"],
    "minicpm5": [r"\p{N}{1,3}", ENGLISH + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*" + REST],
    "cohere2moe": [r"\d{1,3}(?=(?:\d{3})*\b)", GPT4O],
    "deepseek-v3": [r"\p{N}{1,3}", CHINESE, DEEPSEEK3],
    "deepseek-coder": [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥\u0800-一가-\ud7ff]+", r"\p{N}"],
    "viking": [r" ?[^(\s|.,!?…。，、।۔،)]+", r"\p{N}"],
}
COMPOSED = {"qwen2", "qwen35"}
# A piece that is a token as a whole is that token.
WHOLE_FIRST = {"llama-bpe", "minicpm5"}


def alphabet() -> dict[int, str]:
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {byte: chr(byte) for byte in shown} | {byte: chr(256 + place) for place, byte in enumerate(hidden)}


ALPHABET = alphabet()


def spelled(token: bytes) -> str:
    return "".join(ALPHABET[byte] for byte in token)


class Vocabulary:
    """Mistral Nemo's: special tokens, then ranks."""

    def __init__(self) -> None:
        [path] = (path for path in (files("mistral_common") / "data").iterdir() if path.name == "tekken_240718.json")
        described = json.loads(path.read_text(encoding="utf-8"))
        self.specials = described["config"]["default_num_special_tokens"]
        self.pattern = described["config"]["pattern"]
        count = described["config"]["default_vocab_size"] - self.specials
        self.ranks = {base64.b64decode(entry["token_bytes"]): entry["rank"] for entry in described["vocab"][:count]}
        self.merges = []
        for token in self.ranks:
            halves = ((token[:cut], token[cut:]) for cut in range(1, len(token)))
            halves = [pair for pair in halves if pair[0] in self.ranks and pair[1] in self.ranks]
            self.merges.extend(sorted(halves, key=lambda pair: (self.ranks[pair[0]], self.ranks[pair[1]])))
        self.merges = [(spelled(left), spelled(right)) for left, right in self.merges]

    def tokens(self) -> list[str]:
        return ["<unk>", "<s>", "</s>", *(f"<special {number}>" for number in range(3, self.specials)), *map(spelled, self.ranks)]

    def write(self, name: str, target: Path) -> None:
        tokens = self.tokens()
        writer = gguf.GGUFWriter(target, "llama")
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(name)
        writer.add_token_list(tokens)
        normal, control = gguf.TokenType.NORMAL, gguf.TokenType.CONTROL
        writer.add_token_types([control] * self.specials + [normal] * len(self.ranks))
        writer.add_token_merges([" ".join(pair) for pair in self.merges])
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_chat_template(TEMPLATE)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.close()

    def judge(self, name: str, patterns: list[str]):
        """What makes ids of a text in another library."""
        if len(patterns) == 1:
            encoding = tiktoken.Encoding(name, pat_str=patterns[0], mergeable_ranks=self.ranks, special_tokens={})
            return lambda text: [self.specials + token for token in encoding.encode_ordinary(text)]
        ids = {token: place for place, token in enumerate(self.tokens())}
        tokenizer = Tokenizer(models.BPE(ids, self.merges, ignore_merges=name in WHOLE_FIRST))
        splits = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns]
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*splits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
        return lambda text: tokenizer.encode(text).ids


def compare(binary: str, vocabulary: Vocabulary, directory: Path, name: str, patterns: list[str], count: int) -> int:
    target = directory / f"{name}.gguf"
    vocabulary.write(name, target)
    # The other libraries are given no special tokens here.
    texts = [text for text in lines(count + count // 2) if "<s>" not in text][:count]
    answers = render(binary, target, [{"text": text} for text in texts], "--ids")
    judge = vocabulary.judge(name, patterns)
    wrong = 0
    for text, answer in zip(texts, answers, strict=True):
        ids = judge(unicodedata.normalize("NFC", text) if name in COMPOSED else text)
        if answer.get("ids") != ids:
            wrong += 1
            if wrong <= 3:
                print(f"{name}: {text!r}: wanted {ids}, got {answer}")
    print(f"{name}: {len(texts) - wrong} of {len(texts)} lines in the same ids")
    target.unlink()
    return wrong


def main() -> int:
    binary, directory = sys.argv[1], Path(sys.argv[2])
    vocabulary = Vocabulary()
    if vocabulary.pattern != TEKKEN:
        print(f"its own pattern is another: {vocabulary.pattern}")
        return 1
    wrong = compare(binary, vocabulary, directory, "tekken", [vocabulary.pattern], MANY)
    return int(wrong + sum(compare(binary, vocabulary, directory, name, patterns, FEW) for name, patterns in WAYS.items()) > 0)


if __name__ == "__main__":
    sys.exit(main())
