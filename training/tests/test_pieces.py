"""The second small model: another kind of tokenizer, and a GGUF file that transformers reads as it is meant."""
import gguf
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pair import families, pieces, prompts
from pair.settings import MODELS, PIECES
from pair.tokenizer import world_texts
from world import names

FOLDER = MODELS / "slm-pieces"
FAMILY = families.of("pieces")
MESSAGES = [{"role": "system", "content": "You are a helpful assistant.\n\nMy dog is called Ziggy."}, {"role": "user", "content": "What is my dog called?"}]


@pytest.mark.parametrize("pool", sorted(names.UNSEEN))
def test_unseen_names_are_spelled(pool: str) -> None:
    for name in names.UNSEEN[pool]:
        spelled = [("▁" if i == 0 else "") + letter for word in name.split() for i, letter in enumerate(word)]
        assert FAMILY.tokenizer.encode(" " + name).tokens == spelled


def test_text_survives() -> None:
    for text in [*world_texts(), "Çà et là, Zoë – 42 €", "tab\tand\n\nlines  "]:
        assert FAMILY.tokenizer.decode(FAMILY.tokenizer.encode(text).ids) == text


def test_an_answer_goes_on_where_its_prompt_ended() -> None:
    text = "Sure, a gluten-free pasta."
    assert FAMILY.tokenizer.decode([FAMILY.end_id(), *FAMILY.answer(text)]) == text


def test_the_exported_tokenizer_is_this_one() -> None:
    assert (FOLDER / "tokenizer.json").read_text() == FAMILY.tokenizer.to_str(pretty=True)
    assert FAMILY.tokenizer.get_vocab_size() == pieces.SIZE == PIECES.shape.vocabulary


def test_chat_template_is_what_training_used() -> None:
    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    text = tokenizer.apply_chat_template(MESSAGES, tokenize=False, add_generation_prompt=True)
    question = prompts.private("What is my dog called?", "My dog is called Ziggy.")
    assert text == FAMILY.translated(question)
    assert FAMILY.tokenizer.encode(text).ids == FAMILY.prompt(question)


def test_the_file_says_what_it_is() -> None:
    reader = gguf.GGUFReader(FOLDER / "model.gguf")
    said = {name: reader.fields[name].contents() for name in ("tokenizer.ggml.eos_token_id", "tokenizer.chat_template", "tokenizer.ggml.tokens")}
    tokens = [FAMILY.tokenizer.id_to_token(i) for i in range(pieces.SIZE)]
    assert said == {
        "tokenizer.ggml.eos_token_id": FAMILY.end_id(),
        "tokenizer.chat_template": pieces.CHAT_TEMPLATE,
        "tokenizer.ggml.tokens": tokens,
    }


@torch.inference_mode()
def test_it_copies_a_name_that_training_never_shows() -> None:
    model = AutoModelForCausalLM.from_pretrained(FOLDER, gguf_file="model.gguf", dtype=torch.float32).eval()
    name = names.UNSEEN["pets"][0]
    prompt = FAMILY.prompt(prompts.private("What is my dog called?", f"My dog is called {name}."))
    answer = model.generate(torch.tensor([prompt]), max_new_tokens=32, do_sample=False, eos_token_id=FAMILY.end_id(), pad_token_id=FAMILY.end_id())
    assert name in FAMILY.tokenizer.decode(answer[0, len(prompt) :].tolist())
