"""Answers in a form that a schema gives."""

import asyncio
from typing import Literal

import openai
from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, set_tracing_disabled
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai import NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel as PydanticResponses
from pydantic_ai.providers.openai import OpenAIProvider

from support import BASE, MESSAGES, QUESTION, STEERED

set_tracing_disabled(True)


class Dinner(BaseModel):
    diet: Literal["vegan", "fish", "meat"]
    guests: Literal[1, 2, 3]


def test_the_openai_package_parses():
    with openai.OpenAI(base_url=BASE, api_key="unused", max_retries=0, timeout=60) as sdk:
        fields = {"model": STEERED, "temperature": 0}
        chat = sdk.chat.completions.parse(messages=MESSAGES, response_format=Dinner, **fields)
        assert isinstance(chat.choices[0].message.parsed, Dinner)
        response = sdk.responses.parse(input=QUESTION, text_format=Dinner, **fields)
        assert response.output_parsed == chat.choices[0].message.parsed
        with sdk.chat.completions.stream(messages=MESSAGES, response_format=Dinner, **fields) as stream:
            assert stream.get_final_completion().choices[0].message.parsed == response.output_parsed


def test_langchain():
    model = ChatOpenAI(model=STEERED, temperature=0, max_retries=0, timeout=60, base_url=BASE, api_key="unused")
    assert isinstance(model.with_structured_output(Dinner, method="json_schema").invoke(QUESTION), Dinner)


def test_pydantic_ai():
    provider = OpenAIProvider(base_url=BASE, api_key="unused")
    for model in (OpenAIChatModel(STEERED, provider=provider), PydanticResponses(STEERED, provider=provider)):
        agent = PydanticAgent(model, output_type=NativeOutput(Dinner), model_settings={"temperature": 0})
        assert isinstance(agent.run_sync(QUESTION).output, Dinner)


def test_openai_agents():
    client = openai.AsyncOpenAI(base_url=BASE, api_key="unused", max_retries=0, timeout=60)

    async def all_ways():
        for kind in (OpenAIChatCompletionsModel, OpenAIResponsesModel):
            model = kind(model=STEERED, openai_client=client)
            agent = Agent(name="cook", model=model, output_type=Dinner, model_settings=ModelSettings(temperature=0))
            assert isinstance((await Runner.run(agent, QUESTION)).final_output, Dinner)

    asyncio.run(all_ways())
