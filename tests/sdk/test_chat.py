"""The openai package on /v1/chat/completions and /v1/models."""

import asyncio
import base64

import pytest

from support import CONTEXT, MESSAGES, MODEL, NAME, STEER, ask, async_client, content, streamed


def test_steered_answer(sdk):
    raw = sdk.chat.completions.with_raw_response.create(
        model=MODEL, messages=MESSAGES, temperature=0, extra_headers=STEER
    )
    assert raw.headers["x-costeer-steered"] == "true"
    answer = raw.parse()
    assert "vegan" in content(answer) and NAME in content(answer)
    assert (answer.object, answer.model) == ("chat.completion", MODEL)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.role == "assistant"
    assert answer.costeer["positions"] == answer.usage.completion_tokens
    assert answer.costeer["changed"] > 0


def test_no_context_no_steering(sdk):
    raw = sdk.chat.completions.with_raw_response.create(model=MODEL, messages=MESSAGES, temperature=0)
    assert raw.headers["x-costeer-steered"] == "false"
    answer = raw.parse()
    assert content(answer) and NAME not in content(answer)
    assert "costeer" not in answer.model_extra


def test_context_in_the_body_and_in_base64(sdk, text):
    in_body = ask(sdk, extra_headers=None, extra_body={"costeer": {"context": CONTEXT}})
    assert content(in_body) == text
    encoded = base64.b64encode(CONTEXT.encode()).decode()
    assert content(ask(sdk, extra_headers={"X-CoSteer-Context-Base64": encoded})) == text


def test_strength_zero_is_the_big_model_alone(sdk):
    plain = ask(sdk, extra_headers=None)
    unmoved = ask(sdk, extra_body={"costeer": {"strength": 0}})
    assert content(unmoved) == content(plain)


def test_system_message_and_parts(sdk):
    messages = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": [{"type": "text", "text": MESSAGES[0]["content"]}]},
    ]
    assert NAME in content(ask(sdk, messages=messages))


def test_stream(sdk, text):
    chunks = list(ask(sdk, stream=True))
    assert streamed(chunks) == ({0: text}, {0: "stop"})
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len(chunks) > 10, "it came in one piece"
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in chunks)
    assert chunks[-1].model_extra["costeer"]["positions"] > 10


def test_stream_helper(sdk, text):
    with sdk.chat.completions.stream(
        model=MODEL, messages=MESSAGES, temperature=0, extra_headers=STEER
    ) as stream:
        deltas = [event.delta for event in stream if event.type == "content.delta"]
        assert "".join(deltas) == text
        assert content(stream.get_final_completion()) == text


def test_usage(sdk, answer):
    usage = answer.usage
    assert usage.prompt_tokens > 5 and usage.completion_tokens > 10
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    *others, last = ask(sdk, stream=True, stream_options={"include_usage": True})
    assert last.choices == []
    assert last.usage == usage
    assert all(chunk.choices and chunk.usage is None for chunk in others)


def test_token_limits(sdk, text):
    for field in ("max_tokens", "max_completion_tokens"):
        answer = ask(sdk, **{field: 6})
        assert answer.choices[0].finish_reason == "length"
        assert answer.usage.completion_tokens == 6
        assert content(answer) and text.startswith(content(answer))
    assert streamed(ask(sdk, stream=True, max_tokens=6)) == ({0: content(answer)}, {0: "length"})


def test_async(text):
    async def both_ways():
        async with async_client() as sdk:
            whole = await ask(sdk)
            stream = await ask(sdk, stream=True)
            return content(whole), streamed([chunk async for chunk in stream])

    assert asyncio.run(both_ways()) == (text, ({0: text}, {0: "stop"}))


def test_two_at_once_keep_their_contexts_apart(text):
    async def both():
        async with async_client() as sdk:
            other = {"X-CoSteer-Context": "I am vegan. My dog is called Loki."}
            return await asyncio.gather(ask(sdk), ask(sdk, extra_headers=other))

    mine, other = map(content, asyncio.run(both()))
    assert mine == text
    assert "Loki" in other and NAME not in other


def test_a_stream_goes_on_while_another_is_answered(sdk, text):
    stream = ask(sdk, stream=True)
    first = next(stream)
    assert content(ask(sdk)) == text
    assert streamed([first, *stream]) == ({0: text}, {0: "stop"})


def test_models(sdk):
    assert [model.id for model in sdk.models.list()] == [MODEL]


def test_fields_about_the_user_change_nothing(sdk, text):
    answer = ask(sdk, user="somebody", metadata={"purpose": "test"}, store=False)
    assert content(answer) == text


@pytest.mark.parametrize("role", ["developer", "system"])
def test_conversation(sdk, role):
    messages = [
        {"role": role, "content": "You are a helpful assistant."},
        *MESSAGES,
        {"role": "assistant", "content": "Try a vegan dinner."},
        {"role": "user", "content": "Any ideas for a pizza?"},
    ]
    answer = ask(sdk, messages=messages)
    assert "pizza" in content(answer)
    assert answer.usage.prompt_tokens > 40
