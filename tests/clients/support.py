"""What the tests share. No client here sets a header: the profile stands behind the model's name."""

import json
import os
import urllib.request

PROXY = os.environ["COSTEER_TEST_PROXY"]
BASE = f"{PROXY}/v1"
MODEL = "tiny-llm"
# The profile has the name, so an answer that has it was steered by the profile.
NAME = "Ziggy"
STEERED = f"{MODEL}@ada"
PLAIN = f"{MODEL}@plain"
QUESTION = "Can you suggest a dinner?"
MESSAGES = [{"role": "user", "content": QUESTION}]

# Before this proxy's server, the big model calls the function "shop" first, and answers when it has the result.
CALLER = os.environ["COSTEER_TEST_CALLER"]
CALLED = {"what": "leeks"}
FOUND = "There are leeks."


class Shop:
    """A function that a model may call, and what it was called with."""

    def __init__(self):
        self.calls = []

    def __call__(self, what: str) -> str:
        self.calls.append({"what": what})
        return FOUND


def asked_directly():
    """The steered answer at temperature 0, by nothing but the standard library."""
    body = {"model": STEERED, "messages": MESSAGES, "temperature": 0}
    request = urllib.request.Request(
        f"{BASE}/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]
