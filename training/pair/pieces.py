"""Builds the tokenizer of the second small model: another family, so that there is something to align.

Its layout is Llama's: `▁` for a space, one prepended to a text, bytes as a last resort, turns that end with `</s>`. Its merges are learned from the
world's sentences, and there are fewer of them, so that common words are one piece and others several. Capitalised words are spelled as in the other
family; otherwise copying names would have to be learned anew.
"""
import json
import random
from collections.abc import Iterator

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from world import answers, notes, questions
from world.persona import draw_persona
from world.topics import TOPICS

from .tokenizer import DEFAULT_SYSTEM

SIZE = 1536
UNKNOWN, BEGIN_TEXT, END_OF_TURN = "<unk>", "<s>", "</s>"
ROLES = ("system", "user", "assistant")
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] + '</s>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
# With the message below which the small model has learnt to answer, where nobody speaks as the system.
SMALL_CHAT_TEMPLATE = "{% if messages[0]['role'] != 'system' %}{{ '<|system|>\n" + DEFAULT_SYSTEM + "</s>\n' }}{% endif %}" + CHAT_TEMPLATE
_LONGEST_NAME = 24
_WITHIN_A_NAME = "|".join(rf"\p{{Lu}}\p{{Ll}}{{{letters}}}" for letters in range(_LONGEST_NAME))
_PATTERN = rf" ?\p{{Lu}}|(?<={_WITHIN_A_NAME})\p{{Ll}}|\p{{N}}|\n| ?[^\s\p{{L}}\p{{N}}]"
_CORPUS = 20_000


def _sentences() -> Iterator[str]:
    rng = random.Random("pieces")
    yield "You are a helpful assistant."
    for _ in range(_CORPUS):
        topic, persona = rng.choice(TOPICS), draw_persona(rng)
        yield questions.ask(rng, topic)
        yield answers.recommend(rng, topic, persona)
        yield notes.render(rng, persona, notes.shown_values(rng, topic, persona), rng.randrange(4))


def _laid_out(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(_PATTERN), "isolated"), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first")]
    )
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return tokenizer


def build() -> Tokenizer:
    """The tokenizer: special tokens, then bytes, then pieces; the same at every call."""
    specials = [UNKNOWN, BEGIN_TEXT, END_OF_TURN, *(f"<|{role}|>" for role in ROLES)]
    fallback = [f"<0x{byte:02X}>" for byte in range(256)]
    alphabet = sorted({*map(chr, range(33, 127)), "▁", "\n"})
    learned = _laid_out(Tokenizer(models.BPE()))
    learned.train_from_iterator(
        _sentences(),
        trainers.BpeTrainer(
            vocab_size=SIZE - len(specials) - len(fallback), initial_alphabet=alphabet, limit_alphabet=len(alphabet), show_progress=False
        ),
    )
    model = json.loads(learned.to_str())["model"]
    pieces = sorted(model["vocab"], key=model["vocab"].get)
    vocabulary = {text: i for i, text in enumerate([*specials, *fallback, *pieces])}
    merges = [tuple(merge) for merge in model["merges"]]
    tokenizer = _laid_out(Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token=UNKNOWN, fuse_unk=True, byte_fallback=True)))
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in specials])
    return tokenizer
