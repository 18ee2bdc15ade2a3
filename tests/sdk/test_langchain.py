"""LangChain's ChatOpenAI."""

import asyncio

import openai
import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from support import CONTEXT, MODEL, NAME, PROXY, QUESTION, STEER


def chat(**options):
    options = {"model": MODEL, "temperature": 0, "max_retries": 0, "timeout": 30} | options
    return ChatOpenAI(base_url=f"{PROXY}/v1", api_key="unused", **options)


@pytest.fixture(scope="module")
def steered():
    return chat(default_headers=STEER)


def test_invoke(steered, answer, text):
    message = steered.invoke(QUESTION)
    assert message.content == text
    assert message.usage_metadata["output_tokens"] == answer.usage.completion_tokens
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.response_metadata["model_name"] == MODEL
    assert NAME not in chat().invoke(QUESTION).content


def test_context_in_the_body(text):
    assert chat(extra_body={"costeer": {"context": CONTEXT}}).invoke(QUESTION).content == text


def test_messages(steered):
    message = steered.invoke([SystemMessage("You are a helpful assistant."), HumanMessage(QUESTION)])
    assert NAME in message.content


def test_stream(steered, answer, text):
    chunks = list(steered.stream(QUESTION, stream_usage=True))
    assert "".join(chunk.content for chunk in chunks) == text
    assert len(chunks) > 10
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert whole.usage_metadata["total_tokens"] == answer.usage.total_tokens
    assert whole.response_metadata["finish_reason"] == "stop"


def test_batch(steered, text):
    dinner, pizza = steered.batch([QUESTION, "Any ideas for a pizza?"])
    assert dinner.content == text
    assert "pizza" in pizza.content and "vegan" in pizza.content


def test_async(steered, text):
    async def all_ways():
        pieces = [chunk.content async for chunk in steered.astream(QUESTION)]
        return (await steered.ainvoke(QUESTION)).content, "".join(pieces)

    assert asyncio.run(all_ways()) == (text, text)


def test_stop_and_logprobs(steered, text):
    message = steered.bind(stop=["gan din"], logprobs=True, top_logprobs=2).invoke(QUESTION)
    assert message.content == text[: text.index("gan din")]
    positions = message.response_metadata["logprobs"]["content"]
    assert positions and message.content.startswith("".join(position["token"] for position in positions))


def test_errors(steered):
    @tool
    def look_up(name: str) -> str:
        """Looks up a recipe."""
        return name

    with pytest.raises(openai.BadRequestError) as caught:
        steered.bind_tools([look_up]).invoke(QUESTION)
    assert caught.value.code == "unsupported_parameter"
    with pytest.raises(openai.NotFoundError):
        chat(model="no-such-model", default_headers=STEER).invoke(QUESTION)
