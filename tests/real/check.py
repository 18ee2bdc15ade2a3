"""Asks a proxy with a real small model what clients ask: check.py PROXY UPSTREAM [BINARY MODEL.gguf]. Only the standard library.

Without BINARY and MODEL.gguf, the proxy's small model has another chat template than the server, which has to write the prompts.
"""
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "templates"))
from lines import lines  # noqa: E402
from render import render  # noqa: E402

NOTES = "My name is Wilhelmina. My dog is called Ziggy."
QUESTION = {"messages": [{"role": "user", "content": "What is my dog called?"}], "temperature": 0, "max_tokens": 24}
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(url: str, body: dict, **headers) -> tuple[dict, bytes]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
    with OPENER.open(request, timeout=120) as answer:
        return dict(answer.headers), answer.read()


def check(holds: bool, what: str, seen: object = "") -> None:
    print(f"{'ok' if holds else 'FAILED'}: {what} {seen}")
    if not holds:
        sys.exit(1)


def served_prompt(upstream: str, proxy: str) -> None:
    """The prompt is as long as the server's own, whatever the small model's template writes."""
    applied = json.loads(post(f"{upstream}/apply-template", {"messages": QUESTION["messages"]})[1])["prompt"]
    wanted = len(json.loads(post(f"{upstream}/tokenize", {"content": applied, "add_special": True})[1])["tokens"])
    headers, body = post(f"{proxy}/v1/chat/completions", QUESTION, **{"X-CoSteer-Context": NOTES})
    counted = json.loads(body)["usage"]["prompt_tokens"]
    check(headers.get("x-costeer-steered") == "true" and counted == wanted, "the prompt is the server's own", f"{counted} of {wanted} tokens")


def main() -> None:
    proxy, upstream, *files = sys.argv[1:]
    if not files:
        return served_prompt(upstream, proxy)
    binary, model = files
    chat = f"{proxy}/v1/chat/completions"
    context = {"X-CoSteer-Context": NOTES}

    headers, body = post(chat, QUESTION)
    check(headers.get("x-costeer-steered") == "false", "a chat without a context passes", json.loads(body)["choices"][0]["message"]["content"])
    headers, body = post(chat, QUESTION, **context)
    steered = json.loads(body)["choices"][0]["message"]["content"]
    check(headers.get("x-costeer-steered") == "true" and "Ziggy" in steered, "a context steers", repr(steered))
    _, body = post(chat, {**QUESTION, "stream": True}, **context)
    events = [line.removeprefix("data: ") for line in body.decode().splitlines() if line.startswith("data: ")]
    check(events[-1] == "[DONE]", "a stream ends as it should")
    deltas = [choice["delta"].get("content") or "" for event in events[:-1] for choice in json.loads(event)["choices"]]
    check("".join(deltas) == steered, "it says the same")

    texts = [text for text in lines(300) if text]
    ours = [answer["ids"] for answer in render(binary, Path(model), [{"text": text} for text in texts], "--ids")]
    theirs = [json.loads(post(f"{upstream}/tokenize", {"content": text, "add_special": False})[1])["tokens"] for text in texts]
    check(ours == theirs, f"{len(texts)} texts have the ids that the server gives them")
    [prompt] = render(binary, Path(model), [QUESTION], "--ids")
    applied = json.loads(post(f"{upstream}/apply-template", {"messages": QUESTION["messages"]})[1])["prompt"]
    check(prompt["text"] == applied, "the chat is written as the server writes it")


if __name__ == "__main__":
    main()
