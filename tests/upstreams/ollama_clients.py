#!/usr/bin/env python3
"""Reads the double's answers with Ollama's own client for Python: what it cannot read is no answer of Ollama. ollama_clients.py URL MODEL"""
import sys

import ollama


def check(entries) -> None:
    for entry in entries:
        assert entry.token and entry.logprob <= 0 and len(entry.top_logprobs) == 3, entry
        assert all(other.logprob <= 0 for other in entry.top_logprobs), entry


def main() -> None:
    url, model = sys.argv[1:]
    client = ollama.Client(host=url)
    asked = {"model": model, "prompt": "Hello", "raw": True, "logprobs": True, "top_logprobs": 3, "options": {"num_predict": 5, "temperature": 0}}
    whole = client.generate(**asked)
    assert whole.done and whole.done_reason in ("stop", "length") and whole.response, whole
    check(whole.logprobs)
    parts = list(client.generate(**asked, stream=True))
    assert "".join(part.response for part in parts) == whole.response and parts[-1].done, parts
    for part in parts[:-1]:
        check(part.logprobs)
    assert client.list().models[0].model == model
    print(f"the Python client reads {len(parts)} lines")


if __name__ == "__main__":
    main()
