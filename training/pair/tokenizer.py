"""Builds the tokenizer that both models share.

Its layout is Qwen2's (byte-level BPE), so every server tokenises alike; its merges are chosen, not learned. Every merge is (prefix, next letter), starting at
space + lower-case letter, for the words of the world. So a known word is one token, an unknown word is its longest known prefix and then single letters, and a
capitalised word - every name - is always spelled: space + capital, then one letter a token. Copying a name never seen is then copying sixty well-known tokens.
"""
import json
import random
import re
from collections import Counter
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.pre_tokenizers import ByteLevel

from world import answers, facts, questions, topics

PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
END_OF_TEXT, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
DEFAULT_SYSTEM = "You are a helpful assistant."
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

# The small model has learnt to answer below this message, so its template writes it where nobody speaks as the system.
SMALL_CHAT_TEMPLATE = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n" + DEFAULT_SYSTEM + "<|im_end|>\n' }}{% endif %}" + CHAT_TEMPLATE
)


def world_texts() -> list[str]:
    """Every sentence that training can show, held-out phrasings left out."""
    texts = [DEFAULT_SYSTEM, answers.NOT_TOLD, *answers.GENERAL_CLOSERS, *answers.CLOSERS.values(), *answers.RECALLED.values()]
    texts += [text for frames in answers.FRAMES.values() for text in frames]
    texts += [text for paraphrases in (*facts.ATTRIBUTE_FACTS.values(), *facts.COPIED_FACTS.values()) for text in paraphrases[:-1]]
    texts += [*facts.DISTRACTORS, *facts.FILLERS, *questions.SHELLS, *questions.LIST_QUESTIONS]
    texts += [text for group in questions.RECALL.values() for text in group]
    texts += [text for group in topics.REASONS.values() for text in group]
    for topic in topics.TOPICS:
        texts += [topic.noun, topic.reason, *topic.asks, *topic.options]
        texts += [option for group in topic.options.values() for option in group]
    return texts


def merge_units() -> list[str]:
    """The pieces that become one token: " word", "-word" and "'s", each with all its prefixes."""
    units: Counter[str] = Counter()
    for text in world_texts():
        for piece in re.findall(r"[ '-][a-z]+", " " + re.sub(r"\{[a-z]+\}", "", text)):
            units[piece] += 1
    return sorted(units)


def build() -> Tokenizer:
    """The tokenizer, with prefixes before the words they begin."""
    alphabet = sorted(ByteLevel.alphabet(), key=ord)
    vocabulary = {symbol: i for i, symbol in enumerate(alphabet)}
    merges: list[tuple[str, str]] = []

    def add(left: str, right: str) -> None:
        if left + right not in vocabulary:
            vocabulary[left + right] = len(vocabulary)
            merges.append((left, right))

    for capital in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        add("Ġ", capital)
    for unit in merge_units():
        symbols = unit.replace(" ", "Ġ")
        for i in range(1, len(symbols)):
            add(symbols[:i], symbols[i])
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token=None, fuse_unk=False, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PATTERN), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in (END_OF_TEXT, START, END)])
    return tokenizer


class Breaker:
    """Now and then splits a word into a prefix and letters, so that the prefixes of unknown words are no strangers to the model."""

    def __init__(self, tokenizer: Tokenizer, share: float) -> None:
        self._share, self._vocabulary = share, tokenizer.get_vocab()
        self._breakable = {i: text for text, i in self._vocabulary.items() if len(text) > 2 and text[0] in "Ġ-" and text[1:].isalpha() and text[1:].islower()}

    def __call__(self, rng: random.Random, ids: list[int]) -> list[int]:
        result: list[int] = []
        for i in ids:
            text = self._breakable.get(i)
            if text is None or rng.random() >= self._share:
                result.append(i)
            else:
                cut = rng.randrange(2, len(text))
                result.append(self._vocabulary[text[:cut]])
                result += [self._vocabulary[letter] for letter in text[cut:]]
        return result


def save(tokenizer: Tokenizer, folder: Path, max_length: int, template: str = CHAT_TEMPLATE) -> None:
    """tokenizer.json and the fields that transformers, vLLM and mistral.rs read beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {
        str(tokenizer.token_to_id(text)): {"content": text, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
        for text in (END_OF_TEXT, START, END)
    }
    config = {
        "add_prefix_space": False, "added_tokens_decoder": special, "additional_special_tokens": [START, END], "bos_token": None,
        "chat_template": template, "clean_up_tokenization_spaces": False, "eos_token": END, "errors": "replace",
        "model_max_length": max_length, "pad_token": END_OF_TEXT, "split_special_tokens": False, "tokenizer_class": "Qwen2Tokenizer", "unk_token": None,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    tokens = {"additional_special_tokens": [START, END], "eos_token": END, "pad_token": END_OF_TEXT}
    (folder / "special_tokens_map.json").write_text(json.dumps(tokens, indent=2) + "\n")
