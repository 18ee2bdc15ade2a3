"""What speaks /v1/responses: the openai package, and openai-agents and pydantic-ai as they are without further words."""

import asyncio

import openai
import pytest
from agents import Agent, ModelSettings, OpenAIResponsesModel, Runner, set_tracing_disabled
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.openai import OpenAIResponsesModel as PydanticResponses
from pydantic_ai.providers.openai import OpenAIProvider

from support import BASE, QUESTION, STEERED

set_tracing_disabled(True)


@pytest.fixture(scope="module")
def sdk():
    with openai.OpenAI(base_url=BASE, api_key="unused", max_retries=0, timeout=60) as sdk:
        yield sdk


def test_a_response_is_steered(sdk, text):
    response = sdk.responses.create(model=STEERED, input=QUESTION, temperature=0)
    assert (response.output_text, response.model, response.status) == (text, STEERED, "completed")
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens
    messages = [{"role": "user", "content": [{"type": "input_text", "text": QUESTION}]}]
    assert sdk.responses.create(model=STEERED, input=messages, temperature=0).output_text == text


def test_a_stream(sdk, text):
    with sdk.responses.stream(model=STEERED, input=QUESTION, temperature=0) as stream:
        pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
        assert "".join(pieces) == text and len(pieces) > 10
        assert stream.get_final_response().output_text == text


def test_an_error(sdk):
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(model=STEERED, input=QUESTION, temperature=3)
    assert caught.value.param == "temperature"


def test_openai_agents(text):
    client = openai.AsyncOpenAI(base_url=BASE, api_key="unused", max_retries=0, timeout=60)

    def agent(**settings):
        model = OpenAIResponsesModel(model=STEERED, openai_client=client)
        return Agent(name="cook", model=model, model_settings=ModelSettings(**{"temperature": 0} | settings))

    async def all_ways():
        whole = await Runner.run(agent(), QUESTION)
        run = Runner.run_streamed(agent(), QUESTION)
        events = [event async for event in run.stream_events()]
        with pytest.raises(openai.BadRequestError):
            await Runner.run(agent(temperature=3), QUESTION)
        return whole.final_output, run.final_output, len(events)

    whole, streamed, events = asyncio.run(all_ways())
    assert whole == streamed == text and events > 10


def test_pydantic_ai(text):
    def agent(**settings):
        model = PydanticResponses(STEERED, provider=OpenAIProvider(base_url=BASE, api_key="unused"))
        return PydanticAgent(model, model_settings={"temperature": 0} | settings)

    assert agent().run_sync(QUESTION).output == text
    with pytest.raises(ModelHTTPError):
        agent(temperature=3).run_sync(QUESTION)
