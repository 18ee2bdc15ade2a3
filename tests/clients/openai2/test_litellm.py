"""LiteLLM's SDK."""

import litellm
import pytest

from support import BASE, MESSAGES, NAME, PLAIN, STEERED

litellm.suppress_debug_info = True


def ask(model=STEERED, **fields):
    fields = {"temperature": 0, "api_base": BASE, "api_key": "unused", "num_retries": 0, "timeout": 60} | fields
    return litellm.completion(model=f"openai/{model}", messages=MESSAGES, **fields)


def test_a_completion_is_steered(text):
    assert ask().choices[0].message.content == text
    assert NAME not in ask(PLAIN).choices[0].message.content


def test_a_stream(text):
    pieces = [chunk.choices[0].delta.content for chunk in ask(stream=True)]
    assert "".join(piece or "" for piece in pieces) == text
    assert len(pieces) > 10


def test_an_error():
    with pytest.raises(litellm.BadRequestError):
        ask(temperature=3)
    with pytest.raises(litellm.NotFoundError):
        ask(f"{STEERED}-is-nobody")
