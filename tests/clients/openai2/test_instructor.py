"""instructor, where it asks for text."""

import instructor
import openai
import pytest

from support import BASE, MESSAGES, NAME, PLAIN, STEERED


@pytest.fixture(scope="module")
def client():
    return instructor.from_openai(openai.OpenAI(base_url=BASE, api_key="unused", max_retries=0, timeout=60))


def ask(client, model=STEERED, **fields):
    fields = {"temperature": 0, "response_model": None} | fields
    return client.chat.completions.create(model=model, messages=MESSAGES, **fields)


def test_text_is_steered(client, text):
    assert ask(client).choices[0].message.content == text
    assert NAME not in ask(client, PLAIN).choices[0].message.content


def test_a_stream(client, text):
    chunks = ask(client, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == text


def test_an_error(client):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, temperature=3)
    assert caught.value.param == "temperature"
