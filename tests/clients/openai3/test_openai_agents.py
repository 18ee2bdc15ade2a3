"""openai-agents on chat completions."""

import asyncio

import openai
import pytest
from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
from openai.types.responses import ResponseTextDeltaEvent

from support import BASE, NAME, PLAIN, QUESTION, STEERED

set_tracing_disabled(True)


def agent(model=STEERED, **settings):
    client = openai.AsyncOpenAI(base_url=BASE, api_key="unused", max_retries=0, timeout=60)
    model = OpenAIChatCompletionsModel(model=model, openai_client=client)
    return Agent(name="cook", model=model, model_settings=ModelSettings(**{"temperature": 0} | settings))


def test_an_agent_is_steered(text):
    assert asyncio.run(Runner.run(agent(), QUESTION)).final_output == text
    assert NAME not in asyncio.run(Runner.run(agent(PLAIN), QUESTION)).final_output


def test_a_stream(text):
    async def streamed():
        run = Runner.run_streamed(agent(), QUESTION)
        events = [event.data async for event in run.stream_events() if event.type == "raw_response_event"]
        return run.final_output, [event.delta for event in events if isinstance(event, ResponseTextDeltaEvent)]

    whole, pieces = asyncio.run(streamed())
    assert whole == "".join(pieces) == text
    assert len(pieces) > 10


def test_an_error():
    with pytest.raises(openai.BadRequestError) as caught:
        asyncio.run(Runner.run(agent(temperature=3), QUESTION))
    assert caught.value.param == "temperature"
