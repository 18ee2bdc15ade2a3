"""Tools: the model calls, gets the result, and its answer is steered."""

import asyncio
import json
from typing import Literal

import dspy
import instructor
import litellm
import openai
import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

from support import CALLED, CALLER, FOUND, MESSAGES, NAME, QUESTION, STEERED, Shop

BASE = f"{CALLER}/v1"
PARAMETERS = {
    "type": "object",
    "properties": {"what": {"type": "string", "enum": ["leeks", "rice"]}},
    "required": ["what"],
    "additionalProperties": False,
}
TOOLS = [{"type": "function", "function": {"name": "shop", "description": "What there is in the shop.", "parameters": PARAMETERS}}]
FORCED = {"type": "function", "function": {"name": "shop"}}


class Dinner(BaseModel):
    diet: Literal["vegan", "fish", "meat"]
    guests: Literal[1, 2, 3]


def complete(messages=MESSAGES, **fields):
    fields = {"temperature": 0, "max_tokens": 300, "api_base": BASE, "api_key": "unused", "num_retries": 0, "timeout": 60} | fields
    return litellm.completion(model=f"openai/{STEERED}", messages=messages, tools=TOOLS, **fields)


def test_litellm():
    [choice] = complete().choices
    [call] = choice.message.tool_calls
    assert (choice.finish_reason, call.function.name, json.loads(call.function.arguments)) == ("tool_calls", "shop", CALLED)
    result = {"role": "tool", "tool_call_id": call.id, "content": FOUND}
    assert NAME in complete([*MESSAGES, choice.message, result]).choices[0].message.content
    streamed = litellm.stream_chunk_builder(list(complete(stream=True, tool_choice=FORCED)))
    assert json.loads(streamed.choices[0].message.tool_calls[0].function.arguments)["what"] in ("leeks", "rice")
    with pytest.raises(litellm.BadRequestError):
        complete(tool_choice={"type": "function", "function": {"name": "bake"}})


@pytest.mark.parametrize("mode", [instructor.Mode.TOOLS, instructor.Mode.TOOLS_STRICT, instructor.Mode.JSON_SCHEMA])
def test_instructor(mode):
    client = openai.OpenAI(base_url=BASE, api_key="unused", max_retries=0, timeout=60)
    ask = instructor.from_openai(client, mode=mode).chat.completions.create
    fields = {"model": STEERED, "messages": MESSAGES, "temperature": 0, "max_tokens": 300, "max_retries": 0}
    assert isinstance(ask(response_model=Dinner, **fields), Dinner)


def test_llama_index():
    done = Shop()

    def shop(what: Literal["leeks", "rice"]) -> str:
        """What there is in the shop."""
        return done(what)

    model = OpenAILike(
        model=STEERED,
        api_base=BASE,
        api_key="unused",
        is_chat_model=True,
        is_function_calling_model=True,
        temperature=0,
        max_tokens=300,
        max_retries=0,
        timeout=60,
    )
    tool = FunctionTool.from_defaults(fn=shop)
    agent = FunctionAgent(tools=[tool], llm=model)

    async def answer():
        return str(await agent.run(QUESTION))

    assert NAME in asyncio.run(answer())
    assert done.calls == [CALLED]
    forced = model.predict_and_call([tool], QUESTION, tool_required=True, allow_parallel_tool_calls=False)
    assert FOUND in str(forced) and len(done.calls) == 2


def test_dspy():
    model = dspy.LM(f"openai/{STEERED}", api_base=BASE, api_key="unused", temperature=0, max_tokens=300, cache=False, num_retries=0)
    [answer] = model(messages=MESSAGES, tools=TOOLS)
    [call] = answer["tool_calls"]
    assert json.loads(call.function.arguments) == CALLED
    [forced] = model(messages=MESSAGES, tools=TOOLS, tool_choice=FORCED)
    assert json.loads(forced["tool_calls"][0].function.arguments)["what"] in ("leeks", "rice")
