"""The openai package: what changes which tokens are drawn, and how many answers there are."""

import math

import pytest

from support import NAME, ask, content, streamed, token_id

HOT = {"temperature": 1.5, "seed": 7}


def texts(answer):
    """All choices, by their index."""
    assert [choice.index for choice in answer.choices] == list(range(len(answer.choices)))
    return [choice.message.content for choice in answer.choices]


def test_seed(sdk):
    first, again = ask(sdk, **HOT), ask(sdk, **HOT)
    assert content(first) == content(again)
    assert first.system_fingerprint and first.system_fingerprint == again.system_fingerprint
    others = {content(ask(sdk, temperature=1.5, seed=seed)) for seed in range(4)}
    assert len(others) > 1


@pytest.mark.parametrize(
    "only_the_likeliest",
    [
        {"top_p": 1e-6},
        {"extra_body": {"top_k": 1}},
        {"extra_body": {"min_p": 1}},
    ],
    ids=["top_p", "top_k", "min_p"],
)
def test_what_leaves_only_the_likeliest_token(sdk, text, only_the_likeliest):
    assert content(ask(sdk, temperature=2, seed=7, **only_the_likeliest)) == text


def test_several_choices(sdk):
    answer = ask(sdk, n=3, **HOT)
    assert len(answer.choices) == 3
    assert len(set(texts(answer))) > 1
    assert texts(ask(sdk, n=3, **HOT)) == texts(answer)
    # Each choice is paid for, the prompt once.
    alone = ask(sdk, **HOT)
    assert content(alone) == texts(answer)[0]
    assert answer.usage.prompt_tokens == alone.usage.prompt_tokens
    assert answer.usage.completion_tokens > alone.usage.completion_tokens
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_several_choices_at_temperature_0_are_the_same(sdk, text):
    assert texts(ask(sdk, n=2)) == [text, text]


def test_several_choices_in_a_stream(sdk):
    whole = ask(sdk, n=3, **HOT)
    *chunks, last = ask(sdk, n=3, stream=True, stream_options={"include_usage": True}, **HOT)
    expected = {choice.index: choice.message.content for choice in whole.choices}
    assert streamed(chunks) == (expected, dict.fromkeys(expected, "stop"))
    assert last.choices == [] and last.usage == whole.usage
    roles = [choice.index for chunk in chunks for choice in chunk.choices if choice.delta.role]
    assert sorted(roles) == [0, 1, 2]


def stops(text):
    """Strings to stop at, by what is difficult about them."""
    assert "vegan dinner" in text and NAME in text
    return {
        "from inside a word into the next": "gan din",
        "a letter": "d",
        "a name that is spelled letter by letter": NAME,
        "the end": text[-4:],
        "the beginning": text[:2],
    }


@pytest.mark.parametrize("case", stops(f"vegan dinner {NAME}"))
def test_stop(sdk, text, case):
    stop = stops(text)[case]
    expected = text[: text.index(stop)]
    answer = ask(sdk, stop=stop)
    assert (content(answer), answer.choices[0].finish_reason) == (expected, "stop")
    assert streamed(ask(sdk, stop=[stop], stream=True)) == ({0: expected}, {0: "stop"})


def test_the_first_of_several_stops_counts(sdk, text):
    answer = ask(sdk, stop=[NAME, "gan din", "no such text"])
    assert content(answer) == text[: text.index("gan din")]


def test_stops_that_only_begin_are_given_out(sdk, text):
    almost = [text[3:9] + "#", "gan dance", text[-6:] + "!"]
    assert content(ask(sdk, stop=almost)) == text
    assert streamed(ask(sdk, stop=almost, stream=True)) == ({0: text}, {0: "stop"})


def test_a_stop_saves_tokens(sdk, answer):
    stopped = ask(sdk, stop="gan din")
    assert 0 < stopped.usage.completion_tokens < answer.usage.completion_tokens / 2


def test_logit_bias(sdk, text):
    forced = ask(sdk, logit_bias={str(token_id(".")): 100}, max_tokens=4)
    assert content(forced) == "...."
    assert " vegan" in text
    banned = ask(sdk, logit_bias={str(token_id("Ġvegan")): -100})
    assert content(banned) and " vegan" not in content(banned)


def said_dog(sdk, **fields):
    """How often an answer says "dog" that would say it often, but not always."""
    answer = ask(sdk, logit_bias={str(token_id("Ġdog")): 12}, max_tokens=16, **fields)
    return content(answer).count(" dog")


@pytest.mark.parametrize("penalty", ["frequency_penalty", "presence_penalty"])
def test_penalties(sdk, penalty):
    assert said_dog(sdk, **{penalty: 2}) < said_dog(sdk) < said_dog(sdk, **{penalty: -2})


def test_repetition_penalty(sdk):
    punished, plain, rewarded = (said_dog(sdk, extra_body={"repetition_penalty": by}) for by in (2, 1, 0.5))
    assert punished < plain < rewarded
    assert plain == said_dog(sdk)


def check_position(position):
    assert position.logprob <= 0
    assert bytes(position.bytes).decode(errors="replace") == position.token
    likeliest = [top.logprob for top in position.top_logprobs]
    assert likeliest == sorted(likeliest, reverse=True)
    assert 0 < sum(map(math.exp, likeliest)) <= 1 + 1e-4
    # At temperature 0 the pick is the likeliest.
    assert position.token == position.top_logprobs[0].token
    assert position.logprob == pytest.approx(likeliest[0])


def test_logprobs(sdk, answer, text):
    asked = ask(sdk, logprobs=True, top_logprobs=5)
    assert content(asked) == text
    positions = asked.choices[0].logprobs.content
    # The end of turn is a token, but no text.
    assert len(positions) in (answer.usage.completion_tokens - 1, answer.usage.completion_tokens)
    spoken = b"".join(bytes(position.bytes) for position in positions)
    assert spoken.decode().removesuffix("<|im_end|>") == text
    for position in positions:
        assert len(position.top_logprobs) == 5
        check_position(position)


def test_logprobs_without_others(sdk):
    positions = ask(sdk, logprobs=True, max_tokens=4).choices[0].logprobs.content
    assert len(positions) == 4
    assert all(position.top_logprobs == [] and position.logprob <= 0 for position in positions)


def test_logprobs_in_a_stream(sdk):
    wanted = {"logprobs": True, "top_logprobs": 2}
    whole = ask(sdk, **wanted).choices[0].logprobs.content
    pieces = []
    for chunk in ask(sdk, stream=True, **wanted):
        for choice in chunk.choices:
            pieces += choice.logprobs.content if choice.logprobs and choice.logprobs.content else []
    assert [piece.token for piece in pieces] == [piece.token for piece in whole]
    assert [piece.logprob for piece in pieces] == pytest.approx([piece.logprob for piece in whole], abs=1e-3)
    assert all(len(piece.top_logprobs) == 2 for piece in pieces)


def test_characters_of_two_tokens(sdk):
    # The vocabulary spells "ë" in two bytes; biases and the penalty make them take turns.
    wanted = {
        "logit_bias": {str(token_id("Ã")): 30, str(token_id("«")): 29.5},
        "frequency_penalty": 1,
        "logprobs": True,
        "max_tokens": 6,
    }
    answer = ask(sdk, **wanted)
    assert content(answer) == "ëëë"
    assert [position.bytes for position in answer.choices[0].logprobs.content] == [[0xC3], [0xAB]] * 3
    assert streamed(ask(sdk, stream=True, **wanted)) == ({0: "ëëë"}, {0: "length"})


def tokens(answer):
    return [position.token for position in answer.choices[0].logprobs.content]


def test_logprobs_end_where_the_text_does(sdk):
    every = tokens(ask(sdk, logprobs=True))
    answer = ask(sdk, logprobs=True, stop="gan din")
    listed = tokens(answer)
    # A token that the stop cuts is not among them.
    assert listed and listed == every[: len(listed)]
    assert content(answer).startswith("".join(listed))
    assert not content(answer).startswith("".join(every[: len(listed) + 1]))
