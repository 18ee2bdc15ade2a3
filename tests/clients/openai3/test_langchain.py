"""LangChain by the model's name alone; tests/sdk has the rest of it."""

import openai
import pytest
from langchain_openai import ChatOpenAI

from support import BASE, NAME, PLAIN, QUESTION, STEERED


def chat(model=STEERED):
    return ChatOpenAI(model=model, temperature=0, max_retries=0, timeout=60, base_url=BASE, api_key="unused")


def test_a_chain_is_steered(text):
    message = chat().invoke(QUESTION)
    assert message.content == text
    assert message.response_metadata["model_name"] == STEERED
    assert "".join(chunk.content for chunk in chat().stream(QUESTION)) == text
    assert NAME not in chat(PLAIN).invoke(QUESTION).content


def test_an_error():
    with pytest.raises(openai.NotFoundError) as caught:
        chat(f"{STEERED}-is-nobody").invoke(QUESTION)
    assert caught.value.code == "profile_not_found"
