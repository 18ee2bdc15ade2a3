#!/usr/bin/env python3
"""Asks the evaluation items through running servers and prints the table of README.md.

    python evaluate.py --proxy http://127.0.0.1:8089 --slm http://127.0.0.1:8091 \
        --steered "floor 0=http://127.0.0.1:8089" --steered "floor 1e-4=http://127.0.0.1:8088" --items eval/items.jsonl

The floor of the delta is a server setting, hence one proxy for each. Needs tqdm and nothing else beyond the standard library.
"""
import argparse
import base64
import json
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from report import table
from world.checker import score

DEFAULT_SYSTEM = "You are a helpful assistant."
STRENGTHS = (0.476190, 1.0, 1.783257)
TIMEOUT_SECONDS = 120


class Server:
    """One OpenAI-compatible server; the model is the first that it lists."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._model = self._send("/v1/models")["data"][0]["id"]

    def _send(self, path: str, body: dict | None = None, headers: dict[str, str] | None = None) -> dict:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json", **(headers or {})})
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            return json.load(response)

    def ask(self, messages: list[dict[str, str]], headers: dict[str, str]) -> str:
        """The greedy answer."""
        body = {"model": self._model, "messages": messages, "temperature": 0, "max_tokens": 128}
        return self._send("/v1/chat/completions", body, headers)["choices"][0]["message"]["content"]


def question(item: dict, system: str | None = None) -> list[dict[str, str]]:
    """The item's messages: the bare question as a client sends it, or under a system message."""
    head = [{"role": "system", "content": system}] if system is not None else []
    return [*head, {"role": "user", "content": item["question"]}]


def steering(item: dict, strength: float) -> dict[str, str]:
    """The headers that ask the proxy to steer."""
    return {"X-CoSteer-Context-Base64": base64.b64encode(item["context"].encode()).decode(), "X-CoSteer-Strength": f"{strength:f}"}


def systems(arguments: argparse.Namespace) -> dict:
    """Name → function from an item to an answer."""
    result = {}
    if arguments.upstream:
        upstream = Server(arguments.upstream)
        result["LLM alone, asked directly"] = lambda item: upstream.ask(question(item), {})
    if arguments.proxy:
        proxy = Server(arguments.proxy)
        result["LLM alone, through the proxy"] = lambda item: proxy.ask(question(item), {})
    if arguments.slm:
        slm = Server(arguments.slm)
        result["SLM alone"] = lambda item: slm.ask(question(item, DEFAULT_SYSTEM), {})
        result["SLM with context"] = lambda item: slm.ask(question(item, f"{DEFAULT_SYSTEM}\n\n{item['context']}"), {})
    for entry in arguments.steered:
        name, _, url = entry.partition("=")
        server = Server(url)
        for strength in arguments.strengths:
            result[f"steered, {name}, strength {strength:g}"] = lambda item, s=server, c=strength: s.ask(question(item), steering(item, c))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxy", help="a proxy, asked without context: it passes the question through")
    parser.add_argument("--upstream", help="the big model's server, asked directly")
    parser.add_argument("--slm", help="a server of the small model")
    parser.add_argument("--steered", action="append", default=[], metavar="NAME=URL", help="a proxy to ask with context; may be repeated")
    parser.add_argument("--strengths", type=float, nargs="*", default=STRENGTHS)
    parser.add_argument("--items", type=Path, default=Path(__file__).parent / "eval" / "items.jsonl")
    parser.add_argument("--limit", type=int, help="only the first items")
    parser.add_argument("--jobs", type=int, default=1, help="requests at a time")
    parser.add_argument("--answers", type=Path, help="write every answer and its verdicts here, as JSON lines")
    parser.add_argument("--output", type=Path, help="write the table here, too")
    arguments = parser.parse_args()
    items = [json.loads(line) for line in arguments.items.read_text(encoding="utf-8").splitlines()][: arguments.limit]
    asked = systems(arguments)
    if not asked:
        parser.error("give at least one of --proxy, --upstream, --slm, --steered")
    results, rows = {}, []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for name, ask in asked.items():
            answers = list(tqdm(pool.map(ask, items), total=len(items), desc=name, file=sys.stderr))
            results[name] = [score(answer, item) for answer, item in zip(answers, items)]
            rows += [{"system": name, "id": item["id"], "answer": answer, **verdict} for item, answer, verdict in zip(items, answers, results[name])]
    text = table(results)
    print(text)
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    if arguments.answers:
        arguments.answers.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
