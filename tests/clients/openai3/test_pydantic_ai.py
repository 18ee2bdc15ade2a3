"""pydantic-ai on chat completions."""

import asyncio

import pytest
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from support import BASE, NAME, PLAIN, QUESTION, STEERED


def agent(model=STEERED, **settings):
    provider = OpenAIProvider(base_url=BASE, api_key="unused")
    return Agent(OpenAIChatModel(model, provider=provider), model_settings={"temperature": 0} | settings)


def test_an_agent_is_steered(text):
    assert agent().run_sync(QUESTION).output == text
    assert NAME not in agent(PLAIN).run_sync(QUESTION).output


def test_a_stream(text):
    async def streamed():
        async with agent().run_stream(QUESTION) as run:
            return [piece async for piece in run.stream_text(delta=True, debounce_by=None)]

    pieces = asyncio.run(streamed())
    assert "".join(pieces) == text
    assert len(pieces) > 10


def test_an_error():
    with pytest.raises(ModelHTTPError) as caught:
        agent(temperature=3).run_sync(QUESTION)
    assert caught.value.status_code == 400
    with pytest.raises(ModelHTTPError) as caught:
        agent(f"{STEERED}-is-nobody").run_sync(QUESTION)
    assert caught.value.status_code == 404
