"""The exported files must mean to transformers what they mean here."""
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pair import prompts
from pair.decode import Branch, load
from pair.settings import MODELS

MESSAGES = [{"role": "system", "content": "You are a helpful assistant.\n\nMy dog is called Ziggy."}, {"role": "user", "content": "What is my dog called?"}]


def test_chat_template_is_what_training_used() -> None:
    for role in ("slm", "llm"):
        tokenizer = AutoTokenizer.from_pretrained(MODELS / role)
        text = tokenizer.apply_chat_template(MESSAGES, tokenize=False, add_generation_prompt=True)
        assert text == prompts.private("What is my dog called?", "My dog is called Ziggy.")
        assert tokenizer(text, add_special_tokens=False).input_ids == load(role)[1].encode(text).ids
        bare = tokenizer.apply_chat_template(MESSAGES[1:], tokenize=False, add_generation_prompt=True)
        assert bare == prompts.chatml(None, "What is my dog called?")


@torch.inference_mode()
def test_scores_equal_transformers() -> None:
    for role in ("slm", "llm"):
        model, tokenizer = load(role)
        reference = AutoModelForCausalLM.from_pretrained(MODELS / role, dtype=torch.float32).eval()
        text = [prompts.private("What is my dog called?", "My dog is called Ziggy."), prompts.public("Any ideas for a dinner?")]
        ids = [tokenizer.encode(one).ids for one in text]
        branch = Branch(model, ids)
        follow = tokenizer.encode("Your dog").ids
        for token in follow:
            branch.feed(torch.tensor([token, token]))
        for row, prompt in enumerate(ids):
            expected = torch.log_softmax(reference(torch.tensor([prompt + follow])).logits[0, -1], -1)
            assert torch.allclose(branch.scores[row], expected, atol=2e-4)


def size(role: str) -> int:
    return sum(path.stat().st_size for path in (MODELS / role).iterdir())


def test_the_models_are_small() -> None:
    assert size("slm") + size("llm") <= 24_000_000
    assert size("slm-pieces") <= 3_000_000
