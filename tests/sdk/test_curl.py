"""curl, as in the README."""

import base64
import json
import subprocess

from support import CONTEXT, MODEL, NAME, PROXY, QUESTION, SLOW_PROXY, ask_when_free

STEER = f"X-CoSteer-Context: {CONTEXT}"


def curl(*arguments, base=PROXY, headers=(STEER,), **fields):
    """Exit code and body; `fields` of the request are those of a chat at temperature 0."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": QUESTION}], "temperature": 0} | fields
    command = ["curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "30", "--data", json.dumps(body)]
    for header in ("content-type: application/json", *headers):
        command += ["--header", header]
    command += [*arguments, f"{base}/v1/chat/completions"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    return done.returncode, done.stdout.decode()


def test_chat(text):
    code, body = curl()
    assert code == 0
    assert json.loads(body)["choices"][0]["message"]["content"] == text


def test_headers():
    code, head = curl("--dump-header", "-", "--output", "/dev/null")
    assert code == 0
    assert "\r\nx-costeer-steered: true\r\n" in head
    code, head = curl("--dump-header", "-", "--output", "/dev/null", headers=())
    assert code == 0
    assert "\r\nx-costeer-steered: false\r\n" in head


def test_stream(text):
    code, body = curl("--no-buffer", stream=True)
    assert code == 0
    *events, end = body.removesuffix("\n\n").split("\n\n")
    assert end == "data: [DONE]"
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks) == text


def test_context_beyond_ascii():
    context = f"I live in Zürich. {CONTEXT}"
    as_text = curl(headers=[f"X-CoSteer-Context: {context}"])
    encoded = base64.b64encode(context.encode()).decode()
    in_base64 = curl(headers=[f"X-CoSteer-Context-Base64: {encoded}"])
    in_body = curl(headers=[], costeer={"context": context})
    answers = {json.loads(body)["choices"][0]["message"]["content"] for _, body in (as_text, in_base64, in_body)}
    assert len(answers) == 1
    assert NAME in answers.pop()


def test_errors():
    code, body = curl(temperature=3)
    assert code == 22
    assert json.loads(body)["error"].keys() == {"message", "type", "param", "code"}
    assert json.loads(body)["error"]["param"] == "temperature"
    code, body = curl("--write-out", "%{http_code}", model="no-such-model", stream=True)
    assert code == 22 and body.endswith("404")


def test_giving_up_frees_the_slot(slow):
    code, body = curl("--no-buffer", "--max-time", "1", base=SLOW_PROXY, stream=True)
    assert code == 28
    assert body.startswith("data: {") and "[DONE]" not in body
    ask_when_free(slow)
