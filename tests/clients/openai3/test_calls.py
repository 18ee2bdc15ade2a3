"""Tools with the packages of OpenAI and Anthropic: the model calls, gets the result, and its answer is steered."""

import json
from typing import Literal

import anthropic
import openai
import pytest
from pydantic import BaseModel

from support import CALLED, CALLER, FOUND, MESSAGES, NAME, QUESTION, STEERED


class Shop(BaseModel):
    """What there is in the shop."""

    what: Literal["leeks", "rice"]


SCHEMA = {**Shop.model_json_schema(), "additionalProperties": False}
TOOL = openai.pydantic_function_tool(Shop, name="shop")
RESPONSES_TOOL = {"type": "function", "name": "shop", "parameters": SCHEMA, "strict": True}
ANTHROPIC_TOOL = {"name": "shop", "description": Shop.__doc__, "input_schema": SCHEMA}


@pytest.fixture(scope="module")
def sdk():
    with openai.OpenAI(base_url=f"{CALLER}/v1", api_key="unused", max_retries=0, timeout=60) as sdk:
        yield sdk


@pytest.fixture(scope="module")
def claude():
    with anthropic.Anthropic(base_url=CALLER, api_key="unused", max_retries=0, timeout=60) as sdk:
        yield sdk


def chat(**fields):
    return {"model": STEERED, "messages": MESSAGES, "tools": [TOOL], "temperature": 0, "max_tokens": 300} | fields


def test_chat_completions(sdk):
    [choice] = sdk.chat.completions.parse(**chat()).choices
    [call] = choice.message.tool_calls
    assert (choice.finish_reason, call.function.name, call.function.parsed_arguments) == ("tool_calls", "shop", Shop(**CALLED))
    result = {"role": "tool", "tool_call_id": call.id, "content": FOUND}
    answer = sdk.chat.completions.create(**chat(messages=[*MESSAGES, choice.message, result]))
    assert answer.choices[0].finish_reason == "stop" and NAME in answer.choices[0].message.content


def test_chat_completions_streamed(sdk):
    with sdk.chat.completions.stream(**chat()) as stream:
        kinds = {event.type for event in stream}
        [choice] = stream.get_final_completion().choices
    assert "tool_calls.function.arguments.done" in kinds and choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls[0].function.parsed_arguments == Shop(**CALLED)


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_that_the_client_demands(sdk, stream):
    fields = chat(tool_choice={"type": "function", "function": {"name": "shop"}})
    if stream:
        with sdk.chat.completions.stream(**fields) as answer:
            message = answer.get_final_completion().choices[0].message
    else:
        message = sdk.chat.completions.parse(**fields).choices[0].message
    [call] = message.tool_calls
    assert not message.content and isinstance(call.function.parsed_arguments, Shop)
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.chat.completions.create(**chat(tool_choice={"type": "function", "function": {"name": "bake"}}))
    assert caught.value.param == "tool_choice"


def test_a_demanded_call_is_steered(sdk):
    """It is the answer, so what it says is by the profile."""
    parameters = {
        "type": "object",
        "properties": {"text": {"type": "string", "maxLength": 120}},
        "required": ["text"],
        "additionalProperties": False,
    }
    tool = {"type": "function", "function": {"name": "suggest", "parameters": parameters}}
    answer = sdk.chat.completions.create(**chat(tools=[tool], tool_choice={"type": "function", "function": {"name": "suggest"}}))
    assert NAME in json.loads(answer.choices[0].message.tool_calls[0].function.arguments)["text"]


def test_responses(sdk):
    fields = {"model": STEERED, "tools": [RESPONSES_TOOL], "temperature": 0, "max_output_tokens": 300}
    response = sdk.responses.create(input=QUESTION, **fields)
    [call] = [item for item in response.output if item.type == "function_call"]
    assert (call.name, json.loads(call.arguments)) == ("shop", CALLED)
    with sdk.responses.stream(input=QUESTION, **fields) as stream:
        events = [event.type for event in stream]
        [streamed] = [item for item in stream.get_final_response().output if item.type == "function_call"]
    assert "response.function_call_arguments.done" in events and streamed.arguments == call.arguments
    result = {"type": "function_call_output", "call_id": call.call_id, "output": FOUND}
    answer = sdk.responses.create(input=[*MESSAGES, *response.output, result], **fields)
    assert answer.status == "completed" and NAME in answer.output_text
    forced = sdk.responses.create(input=QUESTION, tool_choice={"type": "function", "name": "shop"}, **fields)
    assert Shop.model_validate_json(forced.output[0].arguments)


def messages(**fields):
    return {"model": STEERED, "messages": MESSAGES, "tools": [ANTHROPIC_TOOL], "max_tokens": 300, "extra_body": {"temperature": 0}} | fields


def test_messages(claude):
    message = claude.messages.create(**messages())
    [call] = message.content
    assert (message.stop_reason, call.type, call.name, call.input) == ("tool_use", "tool_use", "shop", CALLED)
    with claude.messages.stream(**messages()) as stream:
        [streamed] = stream.get_final_message().content
    assert (streamed.name, streamed.input) == (call.name, call.input)
    result = {"type": "tool_result", "tool_use_id": call.id, "content": FOUND}
    asked = [*MESSAGES, {"role": "assistant", "content": message.content}, {"role": "user", "content": [result]}]
    answer = claude.messages.create(**messages(messages=asked))
    assert answer.stop_reason == "end_turn" and NAME in answer.content[0].text
    forced = claude.messages.create(**messages(tool_choice={"type": "tool", "name": "shop"}))
    assert forced.stop_reason == "tool_use" and Shop(**forced.content[0].input)
