"""What the tests share: the question they ask, and servers with settings of their own."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request

import openai

ROOT = pathlib.Path(__file__).parents[2]
UPSTREAM = os.environ["COSTEER_TEST_UPSTREAM"]
PROXY = os.environ["COSTEER_TEST_PROXY"]
# One slot, no queue, and a big model that takes 0.1 s for a token.
SLOW_PROXY = os.environ["COSTEER_TEST_SLOW_PROXY"]
# A big model that writes a thought before each answer.
THINKING_PROXY = os.environ["COSTEER_TEST_THINKING_PROXY"]
THOUGHT = os.environ["COSTEER_TEST_THOUGHT"]
BINARY = os.environ["COSTEER_TEST_BINARY"]

MODEL = "tiny-llm"
QUESTION = "Can you suggest a dinner?"
MESSAGES = [{"role": "user", "content": QUESTION}]
# The big model alone cannot know the name, so an answer that has it was steered.
NAME = "Ziggy"
CONTEXT = f"I am vegan. My dog is called {NAME}."
STEER = {"X-CoSteer-Context": CONTEXT}


def client(base=PROXY, **options):
    """The SDK without its retries, which would hide errors."""
    options = {"api_key": "unused", "max_retries": 0, "timeout": 30} | options
    return openai.OpenAI(base_url=f"{base}/v1", **options)


def async_client(base=PROXY, **options):
    options = {"api_key": "unused", "max_retries": 0, "timeout": 30} | options
    return openai.AsyncOpenAI(base_url=f"{base}/v1", **options)


def ask(sdk, **fields):
    """A steered chat completion at temperature 0, unless `fields` say otherwise."""
    fields = {"model": MODEL, "messages": MESSAGES, "temperature": 0, "extra_headers": STEER} | fields
    return sdk.chat.completions.create(**fields)


def content(answer):
    return answer.choices[0].message.content


def streamed(chunks):
    """The texts and finish reasons of a stream, by choice."""
    texts, reasons = {}, {}
    for chunk in chunks:
        for choice in chunk.choices:
            assert choice.index not in reasons, "a choice goes on after its end"
            texts[choice.index] = texts.get(choice.index, "") + (choice.delta.content or "")
            if choice.finish_reason is not None:
                reasons[choice.index] = choice.finish_reason
    return texts, reasons


def ask_when_free(sdk, timeout=2):
    """Asks for one token as soon as the only slot is free; a slot that stays taken fails the test."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            return ask(sdk, max_tokens=1)
        except openai.RateLimitError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def token_id(token):
    """The id of a word of the models' vocabulary; "Ġ" stands for the space before it."""
    tokenizer = json.loads((ROOT / "models/tiny/llm/tokenizer.json").read_text())
    return tokenizer["model"]["vocab"][token]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def running(*arguments, ready, settings=None):
    """Runs the binary on a port of its own; yields the address and the process."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [BINARY, *arguments, "--listen", f"127.0.0.1:{port}"]
    environment = os.environ | {"COSTEER__UPSTREAM__URL": f"{UPSTREAM}/v1"} | (settings or {})
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        deadline = time.monotonic() + 30
        while not answers(address + ready):
            assert process.poll() is None, f"{command} ended"
            assert time.monotonic() < deadline, f"{command} does not answer"
            time.sleep(0.05)
        yield address, process
    finally:
        # A stopped process heeds no other signal.
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(timeout=15)


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def proxy(**settings):
    """A proxy with settings of its own, such as `local__queue="0"`."""
    named = {f"COSTEER__{key.upper()}": value for key, value in settings.items()}
    return running("serve", ready="/healthz", settings=named)


def upstream(pace_ms):
    """A big model that takes `pace_ms` for a token."""
    arguments = ["upstream", "--model", "models/tiny/llm", "--name", MODEL, "--pace-ms", str(pace_ms)]
    return running(*arguments, ready="/v1/models")
