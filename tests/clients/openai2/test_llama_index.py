"""LlamaIndex."""

import openai
import pytest
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

from support import BASE, NAME, PLAIN, QUESTION, STEERED

CHAT = [ChatMessage(role="user", content=QUESTION)]


def model(name=STEERED, **fields):
    fields = {"temperature": 0, "is_chat_model": True, "max_retries": 0, "timeout": 60} | fields
    return OpenAILike(model=name, api_base=BASE, api_key="unused", **fields)


def test_a_chat_is_steered(text):
    assert model().chat(CHAT).message.content == text
    assert model().complete(QUESTION).text == text
    assert NAME not in model(PLAIN).chat(CHAT).message.content


def test_a_stream(text):
    pieces = [piece.delta for piece in model().stream_chat(CHAT)]
    assert "".join(piece or "" for piece in pieces) == text
    assert len(pieces) > 10


def test_an_error():
    with pytest.raises(openai.NotFoundError):
        model(f"{STEERED}-is-nobody").chat(CHAT)
