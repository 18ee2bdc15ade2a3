"""The openai package: errors, timeouts, and answers that nobody waits for any more."""

import asyncio
import signal
import threading

import openai
import pytest

import support
from support import NAME, STEER, ask, ask_when_free, async_client, client, content

TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}


def test_wrong_field(sdk):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(sdk, temperature=3)
    assert (caught.value.param, caught.value.type) == ("temperature", "invalid_request_error")
    assert caught.value.response.headers["x-costeer-steered"] == "false"


def test_what_cannot_be_steered(sdk):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(sdk, tools=[TOOL])
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "tools")
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.embeddings.create(model=support.MODEL, input="Hello", extra_headers=STEER)
    assert support.CONTEXT not in caught.value.message


def test_a_slip_in_a_name_is_refused(sdk):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(sdk, extra_headers={"X-CoSteer-Contxt": support.CONTEXT})
    assert caught.value.param == "x-costeer-contxt"


@pytest.mark.parametrize("headers", [STEER, None], ids=["steered", "plain"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_unknown_model(sdk, headers, stream):
    with pytest.raises(openai.NotFoundError, match="no-such-model"):
        ask(sdk, model="no-such-model", extra_headers=headers, stream=stream)


def test_too_long(sdk):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(sdk, messages=[{"role": "user", "content": "dinner " * 20_000}])
    assert caught.value.code == "context_length_exceeded"


def test_key():
    with support.proxy(server__api_key="secret") as (address, _):
        with pytest.raises(openai.AuthenticationError):
            ask(client(address, api_key="another"), max_tokens=1)
        with pytest.raises(openai.AuthenticationError):
            client(address, api_key="another").models.list()
        assert content(ask(client(address, api_key="secret"), max_tokens=1))


def test_no_upstream():
    nowhere = f"http://127.0.0.1:{support.free_port()}/v1"
    with support.proxy(upstream__url=nowhere, upstream__retries="0") as (address, _):
        for headers in (STEER, None):
            with pytest.raises(openai.InternalServerError) as caught:
                ask(client(address), extra_headers=headers)
            assert caught.value.status_code == 502
            assert NAME not in caught.value.message


def test_an_upstream_that_dies_in_the_middle_ends_a_stream_with_an_error():
    with support.upstream(pace_ms=100) as (big, process):
        with support.proxy(upstream__url=f"{big}/v1", upstream__retries="0") as (address, _):
            stream = ask(client(address), stream=True)
            assert next(stream).choices[0].finish_reason is None
            process.kill()
            with pytest.raises(openai.APIError) as caught:
                list(stream)
            assert caught.value.type == "upstream_error"


def test_busy(slow):
    with ask(slow, stream=True) as stream:
        next(stream)
        with pytest.raises(openai.RateLimitError) as caught:
            ask(slow)
        assert caught.value.response.headers["retry-after"] == "1"
        assert caught.value.type == "rate_limit_error"


def test_the_sdk_tries_again_when_the_proxy_says_when(slow):
    with ask(slow, stream=True) as stream:
        next(stream)
        threading.Timer(0.8, stream.close).start()
        patient = slow.with_options(max_retries=2)
        raw = patient.chat.completions.with_raw_response.create(
            model=support.MODEL, messages=support.MESSAGES, max_tokens=1, extra_headers=STEER
        )
    assert raw.retries_taken >= 1


def test_timeout_before_the_answer(slow):
    with pytest.raises(openai.APITimeoutError):
        ask(slow, timeout=0.5)
    assert content(ask_when_free(slow))


def test_timeout_in_the_middle_of_a_stream():
    with support.upstream(pace_ms=50) as (big, process):
        settings = {"upstream__url": f"{big}/v1", "local__queue": "0"}
        with support.proxy(**settings) as (address, _):
            sdk = client(address, timeout=1)
            stream = ask(sdk, stream=True)
            next(stream)
            process.send_signal(signal.SIGSTOP)
            with pytest.raises(openai.APITimeoutError):
                list(stream)
            process.send_signal(signal.SIGCONT)
            assert content(ask_when_free(sdk))


def test_cancelled_stream(slow):
    with ask(slow, stream=True) as stream:
        next(stream)
    assert content(ask_when_free(slow))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_cancelled_task(slow, stream):
    async def consume(sdk, begun):
        begun.set()
        answer = await ask(sdk, stream=stream)
        async for _ in answer:
            pass

    async def cancel():
        async with async_client(support.SLOW_PROXY) as sdk:
            begun = asyncio.Event()
            task = asyncio.create_task(consume(sdk, begun))
            await begun.wait()
            await asyncio.sleep(0.6)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancel())
    assert content(ask_when_free(slow))
