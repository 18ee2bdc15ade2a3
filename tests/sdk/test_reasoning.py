"""A big model that thinks: what clients read of its reasoning."""

import pytest
from langchain_deepseek import ChatDeepSeek

import support
from support import MODEL, NAME, QUESTION, STEER, THINKING_PROXY, THOUGHT


@pytest.fixture(scope="module")
def thinking():
    with support.client(THINKING_PROXY) as sdk:
        yield sdk


def test_message(thinking, text):
    answer = support.ask(thinking)
    message = answer.choices[0].message
    assert (message.reasoning_content, message.reasoning, message.content) == (THOUGHT, THOUGHT, text)
    assert NAME in text
    details = answer.usage.completion_tokens_details
    assert 0 < details.reasoning_tokens < answer.usage.completion_tokens


def test_stream(thinking, text):
    chunks = list(support.ask(thinking, stream=True, stream_options={"include_usage": True}))
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    for name in ["reasoning_content", "reasoning"]:
        assert "".join(getattr(delta, name, None) or "" for delta in deltas) == THOUGHT
    assert "".join(delta.content or "" for delta in deltas) == text
    assert chunks[-1].usage.completion_tokens_details.reasoning_tokens > 0


def test_cut_within_a_thought(thinking):
    choice = support.ask(thinking, max_tokens=16).choices[0]
    assert (choice.finish_reason, choice.message.content) == ("length", None)
    assert choice.message.reasoning and THOUGHT.startswith(choice.message.reasoning)


def test_a_message_can_be_sent_back(thinking):
    message = support.ask(thinking).choices[0].message
    again = [*support.MESSAGES, message.model_dump(exclude_none=True), *support.MESSAGES]
    assert support.ask(thinking, messages=again).choices[0].message.reasoning == THOUGHT


def test_langchain(text):
    """ChatOpenAI reads no vendor's fields; ChatDeepSeek is LangChain's class for servers that have this one."""
    options = {"model": MODEL, "temperature": 0, "max_retries": 0, "timeout": 30, "default_headers": STEER}
    chat = ChatDeepSeek(api_base=f"{THINKING_PROXY}/v1", api_key="unused", **options)
    message = chat.invoke(QUESTION)
    assert message.content == text
    assert message.additional_kwargs["reasoning_content"] == THOUGHT
    assert message.usage_metadata["output_token_details"]["reasoning"] > 0
    chunks = list(chat.stream(QUESTION))
    assert "".join(chunk.additional_kwargs.get("reasoning_content", "") for chunk in chunks) == THOUGHT
    assert "".join(chunk.content for chunk in chunks) == text
