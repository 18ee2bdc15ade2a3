"""The openai package on /v1/completions."""

import math

import openai
import pytest

from support import MODEL, NAME, QUESTION, STEER

# The models were trained on chats only, so the text is one, up to where the answer begins.
PROMPT = f"<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n"


def complete(sdk, **fields):
    fields = {"model": MODEL, "prompt": PROMPT, "max_tokens": 60, "temperature": 0, "extra_headers": STEER} | fields
    return sdk.completions.create(**fields)


@pytest.fixture(scope="module")
def completion(sdk):
    return complete(sdk)


@pytest.fixture(scope="module")
def text(completion):
    return completion.choices[0].text


def test_completion(sdk, completion, text):
    assert (completion.object, completion.model) == ("text_completion", MODEL)
    assert NAME in text
    assert completion.costeer["changed"] > 0
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    plain = sdk.completions.with_raw_response.create(model=MODEL, prompt=PROMPT, max_tokens=60, temperature=0)
    assert plain.headers["x-costeer-steered"] == "false"
    assert NAME not in plain.parse().choices[0].text


def test_stream(sdk, completion, text):
    *chunks, last = complete(sdk, stream=True, stream_options={"include_usage": True})
    assert "".join(chunk.choices[0].text for chunk in chunks) == text
    reasons = [chunk.choices[0].finish_reason for chunk in chunks]
    assert reasons[-1] == "stop" and not any(reasons[:-1])
    assert last.choices == [] and last.usage == completion.usage


def test_token_limit(sdk, text):
    short = complete(sdk, max_tokens=5)
    assert short.choices[0].finish_reason == "length"
    assert short.usage.completion_tokens == 5
    assert short.choices[0].text and text.startswith(short.choices[0].text)
    assert complete(sdk, max_tokens=openai.NOT_GIVEN).usage.completion_tokens == 16, "the API's default"


def test_several_choices_and_stop(sdk):
    hot = {"temperature": 1.5, "seed": 7, "n": 3, "stop": ["."]}
    first, again = complete(sdk, **hot), complete(sdk, **hot)
    assert [choice.index for choice in first.choices] == [0, 1, 2]
    texts = [choice.text for choice in first.choices]
    assert texts == [choice.text for choice in again.choices]
    assert len(set(texts)) > 1
    assert not any("." in text for text in texts)


def test_several_prompts(sdk, text):
    pizza = PROMPT.replace(QUESTION, "Any ideas for a pizza?")
    answer = complete(sdk, prompt=[PROMPT, pizza], n=2)
    first, again, *others = [choice.text for choice in answer.choices]
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert first == again == text
    assert len(others) == 2 and all("vegan pizza" in other for other in others)


def test_logprobs(sdk, text):
    asked = complete(sdk, logprobs=3, max_tokens=8)
    logprobs = asked.choices[0].logprobs
    assert "".join(logprobs.tokens) == asked.choices[0].text
    assert len(logprobs.tokens) == len(logprobs.token_logprobs) == len(logprobs.top_logprobs) == 8
    starts = [len("".join(logprobs.tokens[:place])) for place in range(8)]
    first = logprobs.text_offset[0]
    assert [offset - first for offset in logprobs.text_offset] == starts
    for token, logprob, top in zip(logprobs.tokens, logprobs.token_logprobs, logprobs.top_logprobs):
        assert len(top) == 3
        assert logprob == pytest.approx(top[token])
        assert logprob == pytest.approx(max(top.values()))
        assert sum(map(math.exp, top.values())) <= 1 + 1e-4


def test_logprobs_in_a_stream(sdk):
    whole = complete(sdk, logprobs=2, max_tokens=8).choices[0].logprobs
    columns = [chunk.choices[0].logprobs for chunk in complete(sdk, logprobs=2, max_tokens=8, stream=True)]
    for name in ("tokens", "text_offset"):
        pieces = [one for column in columns if column for one in getattr(column, name)]
        assert pieces == getattr(whole, name)


def test_what_cannot_be_steered(sdk):
    with pytest.raises(openai.BadRequestError) as caught:
        complete(sdk, echo=True)
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "echo")
