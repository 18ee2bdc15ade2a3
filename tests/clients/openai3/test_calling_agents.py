"""Tools with frameworks that call them by themselves: each runs until it has the answer, which is steered."""

import asyncio
from typing import Literal

import openai
import pytest
from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai import ToolOutput
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel as PydanticResponses
from pydantic_ai.providers.openai import OpenAIProvider

from support import CALLED, CALLER, NAME, QUESTION, STEERED, Shop

set_tracing_disabled(True)
BASE = f"{CALLER}/v1"


class Dinner(BaseModel):
    diet: Literal["vegan", "fish", "meat"]
    guests: Literal[1, 2, 3]


def client():
    return openai.AsyncOpenAI(base_url=BASE, api_key="unused", max_retries=0, timeout=60)


@pytest.mark.parametrize("kind", [OpenAIChatCompletionsModel, OpenAIResponsesModel])
@pytest.mark.parametrize("choice", [None, "required", "shop"])
@pytest.mark.parametrize("streamed", [False, True])
def test_openai_agents(kind, choice, streamed):
    done = Shop()

    @function_tool
    def shop(what: Literal["leeks", "rice"]) -> str:
        """What there is in the shop."""
        return done(what)

    async def answer():
        settings = ModelSettings(temperature=0, max_tokens=300, tool_choice=choice, parallel_tool_calls=False)
        model = kind(model=STEERED, openai_client=client())
        agent = Agent(name="cook", model=model, model_settings=settings, tools=[shop])
        if not streamed:
            return (await Runner.run(agent, QUESTION)).final_output
        run = Runner.run_streamed(agent, QUESTION)
        async for _ in run.stream_events():
            pass
        return run.final_output

    assert NAME in asyncio.run(answer())
    assert len(done.calls) == 1 and (choice or done.calls == [CALLED])


@pytest.mark.parametrize("kind", [OpenAIChatModel, PydanticResponses])
def test_pydantic_ai(kind):
    done = Shop()
    model = kind(STEERED, provider=OpenAIProvider(base_url=BASE, api_key="unused"))
    settings = {"temperature": 0, "max_tokens": 300}
    agent = PydanticAgent(model, model_settings=settings)

    @agent.tool_plain
    def shop(what: Literal["leeks", "rice"]) -> str:
        """What there is in the shop."""
        return done(what)

    async def streamed():
        async with agent.run_stream(QUESTION) as run:
            return await run.get_output()

    assert NAME in agent.run_sync(QUESTION).output
    assert NAME in asyncio.run(streamed())
    assert done.calls == [CALLED, CALLED]
    # Without a word about it, it demands a call for an answer of this type.
    answers = PydanticAgent(model, output_type=ToolOutput(Dinner), model_settings={**settings, "parallel_tool_calls": False})
    assert isinstance(answers.run_sync(QUESTION).output, Dinner)


def test_langchain():
    done = Shop()

    @tool
    def shop(what: Literal["leeks", "rice"]) -> str:
        """What there is in the shop."""
        return done(what)

    model = ChatOpenAI(model=STEERED, temperature=0, max_tokens=300, max_retries=0, timeout=60, base_url=BASE, api_key="unused")
    asked = [HumanMessage(QUESTION)]
    called = model.bind_tools([shop]).invoke(asked)
    results = [shop.invoke(call) for call in called.tool_calls]
    assert done.calls == [CALLED]
    assert NAME in model.bind_tools([shop]).invoke([*asked, called, *results]).content
    pieces = list(model.bind_tools([shop], tool_choice="shop").stream(asked))
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += piece
    [call] = whole.tool_calls
    assert shop.invoke(call).content and len(done.calls) == 2
    with_call = model.with_structured_output(Dinner, method="function_calling")
    assert isinstance(with_call.invoke(QUESTION), Dinner)
    with pytest.raises(openai.BadRequestError):
        model.bind_tools([shop], tool_choice={"type": "function", "function": {"name": "bake"}}).invoke(asked)
