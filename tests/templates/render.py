"""The product's own rendering: `costeer render`, fed with lines."""
import json
import subprocess
from pathlib import Path


def render(binary: str, model: Path, requests: list[dict], *options: str) -> list[dict]:
    """An answer for each request: its text, and its ids where `options` has --ids; or an error."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([binary, "render", str(model), *options], input=lines, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        return [{"error": done.stderr.strip()} for _ in requests]
    return [json.loads(line) for line in done.stdout.splitlines()]
