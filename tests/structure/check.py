"""Asks a proxy for answers that must have a format, and judges them by jsonschema: check.py PROXY COUNT MASKS.

MASKS is where the answers go for masks.py. Each answer must be steered, end by itself, and be valid.
"""
import argparse
import json
import time
import urllib.request

from jsonschema import Draft202012Validator
from schemas import cases

NOTES = "My name is Wilhelmina. I live in Quito. My dog is called Ziggy. I like blue."
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(proxy: str, body: dict) -> dict:
    headers = {"Content-Type": "application/json", "X-CoSteer-Context": NOTES}
    request = urllib.request.Request(f"{proxy}/v1/chat/completions", json.dumps(body).encode(), headers)
    try:
        with OPENER.open(request, timeout=600) as answer:
            steered = answer.headers.get("x-costeer-steered")
            assert steered == "true", f"x-costeer-steered: {steered}"
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{error.code} {error.read().decode()}") from error


def asked(question: str, number: int, schema: dict) -> dict:
    """Greedy and drawn in turn. The schema is not in the message: what it asks for must not depend on the model's good will."""
    content = f"{question} Answer in JSON."
    return {
        "messages": [{"role": "user", "content": content}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}},
        "temperature": (0, 0.8)[number % 2],
        "seed": number,
        "max_tokens": 400,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("proxy")
    parser.add_argument("count", type=int)
    parser.add_argument("answers")
    arguments = parser.parse_args()
    began, sums, kept = time.monotonic(), {}, []
    for number, (question, schema) in enumerate(cases(arguments.count)):
        answer = ask(arguments.proxy, asked(question, number, schema))
        [one] = answer["choices"]
        text = one["message"]["content"]
        assert one["finish_reason"] == "stop", f"{number}: {one['finish_reason']}: {text}"
        errors = [error.message for error in Draft202012Validator(schema).iter_errors(json.loads(text))]
        assert not errors, f"{number}: {text} is not valid: {errors}"
        kept.append({"schema": schema, "text": text})
        with open(arguments.answers, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(one) + "\n" for one in kept)
        for name, value in answer["costeer"].items():
            if isinstance(value, int):
                sums[name] = sums.get(name, 0) + value
    print(f"{len(kept)} of {arguments.count} answers valid, all of them steered, in {time.monotonic() - began:.0f} s: {json.dumps(sums)}")


if __name__ == "__main__":
    main()
