"""Anthropic's package on /v1/messages."""

import anthropic
import pytest

from support import MESSAGES, NAME, PROXY, STEERED


@pytest.fixture(scope="module")
def sdk():
    with anthropic.Anthropic(base_url=PROXY, api_key="unused", max_retries=0, timeout=60) as sdk:
        yield sdk


def fields(temperature=0, **fields):
    # The package has no such argument any more.
    more = {"extra_body": {"temperature": temperature}}
    return {"model": STEERED, "messages": MESSAGES, "max_tokens": 200} | more | fields


def test_a_message_is_steered(sdk, text):
    message = sdk.messages.create(**fields())
    assert [block.text for block in message.content] == [text]
    assert (message.model, message.role, message.stop_reason) == (STEERED, "assistant", "end_turn")
    assert message.usage.output_tokens > 10
    short = sdk.messages.create(**fields(max_tokens=4))
    assert short.stop_reason == "max_tokens" and text.startswith(short.content[0].text)


def test_a_stream(sdk, text):
    with sdk.messages.stream(**fields()) as stream:
        pieces = list(stream.text_stream)
        assert "".join(pieces) == text and len(pieces) > 10
        assert stream.get_final_message().stop_reason == "end_turn"


def test_a_system_and_parts(sdk):
    parts = [{"role": "user", "content": [{"type": "text", "text": MESSAGES[0]["content"]}]}]
    message = sdk.messages.create(**fields(system="You are a helpful assistant.", messages=parts))
    assert NAME in message.content[0].text


def test_counting(sdk):
    counted = sdk.messages.count_tokens(model=STEERED, messages=MESSAGES)
    assert counted.input_tokens == sdk.messages.create(**fields()).usage.input_tokens


def test_an_error(sdk):
    with pytest.raises(anthropic.BadRequestError):
        sdk.messages.create(**fields(temperature=3))
    with pytest.raises(anthropic.NotFoundError, match="costeer profile list"):
        sdk.messages.create(**fields(model=f"{STEERED}-is-nobody"))
