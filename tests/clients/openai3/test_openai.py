"""The openai package by the model's name alone; tests/sdk has the rest of it."""

import openai
import pytest

from support import BASE, MESSAGES, MODEL, NAME, PLAIN, STEERED


@pytest.fixture(scope="module")
def sdk():
    with openai.OpenAI(base_url=BASE, api_key="unused", max_retries=0, timeout=60) as sdk:
        yield sdk


def ask(sdk, model, **fields):
    return sdk.chat.completions.create(model=model, messages=MESSAGES, temperature=0, **fields)


def test_a_profile_behind_the_name(sdk, text):
    answer = ask(sdk, STEERED)
    assert (answer.choices[0].message.content, answer.model) == (text, STEERED)
    chunks = list(ask(sdk, STEERED, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == text
    assert {chunk.model for chunk in chunks} == {STEERED}


def test_plain(sdk):
    raw = sdk.chat.completions.with_raw_response.create(model=PLAIN, messages=MESSAGES, temperature=0)
    assert raw.headers["x-costeer-steered"] == "false"
    answer = raw.parse()
    assert answer.model == PLAIN and NAME not in answer.choices[0].message.content
    assert {chunk.model for chunk in ask(sdk, PLAIN, stream=True)} == {PLAIN}


def test_the_names_can_be_chosen_from_the_list(sdk):
    assert [model.id for model in sdk.models.list()] == [MODEL, STEERED, PLAIN]


def test_a_profile_that_is_not_there(sdk):
    with pytest.raises(openai.NotFoundError) as caught:
        ask(sdk, f"{MODEL}@nobody")
    assert (caught.value.param, caught.value.code) == ("model", "profile_not_found")


def test_going_on_with_an_answer(sdk, text):
    first = text[: len(text) // 2].rsplit(" ", 1)[0]
    rest = text[len(first) :]
    begun = [*MESSAGES, {"role": "assistant", "content": first}]
    fields = {"model": STEERED, "messages": begun, "temperature": 0, "extra_body": {"continue_final_message": True}}
    assert sdk.chat.completions.create(**fields).choices[0].message.content == rest
