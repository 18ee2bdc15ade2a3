"""Asks a proxy for answers in JSON schemas and for forced calls, and judges them by jsonschema: check.py PROXY SCHEMAS CALLS ANSWERS.

SCHEMAS and CALLS say how many. ANSWERS is where the answers in schemas go for masks.py. Each answer must be steered, end by itself, and be valid.
"""
import argparse
import json
import sys
import time
import urllib.error
import urllib.request

from jsonschema import Draft202012Validator
from schemas import cases, toolboxes

NOTES = "My name is Wilhelmina. I live in Quito. My dog is called Ziggy. I like blue."
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# The longest that a schema of schemas.py allows are some 300 tokens; a list of calls has eight of them at most.
MOST_TOKENS = 400
MOST_TOKENS_OF_CALLS = 1500


def ask(proxy: str, question: str, number: int, **fields) -> dict:
    """Greedy and drawn in turn. The schema is not in the message: what it asks for must not depend on the model's good will."""
    messages = [{"role": "user", "content": question}]
    body = {"messages": messages, "temperature": (0, 0.8)[number % 2], "seed": number, "max_tokens": MOST_TOKENS} | fields
    headers = {"Content-Type": "application/json", "X-CoSteer-Context": NOTES}
    request = urllib.request.Request(f"{proxy}/v1/chat/completions", json.dumps(body).encode(), headers)
    try:
        with OPENER.open(request, timeout=900) as answer:
            steered = answer.headers.get("x-costeer-steered")
            assert steered == "true", f"x-costeer-steered: {steered}"
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{error.code} {error.read().decode()}") from error


def judge(text: str, schema: dict) -> None:
    errors = [error.message for error in Draft202012Validator(schema).iter_errors(json.loads(text))]
    assert not errors, f"{text} is not valid: {errors}"


def in_schemas(proxy: str, count: int, kept: list):
    """Answers, each judged; those that are valid are kept as well."""
    for number, (question, schema) in enumerate(cases(count)):
        form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
        answer = ask(proxy, f"{question} Answer in JSON.", number, response_format=form)

        def valid(one: dict, schema=schema) -> None:
            text = one["message"]["content"]
            assert one["finish_reason"] == "stop", f"{one['finish_reason']}: {text}"
            judge(text, schema)
            kept.append({"schema": schema, "text": text})

        yield answer, valid


def in_calls(proxy: str, count: int):
    """Calls: of a function that the request names, of any one, and of any several."""
    for number, (question, named, tools) in enumerate(toolboxes(count)):
        functions = [{"type": "function", "function": {"name": name, "parameters": schema}} for name, schema in tools.items()]
        one_of_them = {"type": "function", "function": {"name": named}}
        choice, parallel = ((one_of_them, True), ("required", False), (one_of_them, False), ("required", True))[number % 4]
        most = MOST_TOKENS_OF_CALLS if choice == "required" and parallel else MOST_TOKENS
        fields = {"tools": functions, "tool_choice": choice, "parallel_tool_calls": parallel, "max_tokens": most}
        answer = ask(proxy, question, number, **fields)

        def valid(one: dict, tools=tools, choice=choice, parallel=parallel, named=named) -> None:
            calls = [call["function"] for call in one["message"].get("tool_calls") or []]
            assert one["finish_reason"] == "tool_calls", f"{one['finish_reason']}: {one['message']}"
            assert one["message"]["content"] is None and len({call["id"] for call in one["message"]["tool_calls"]}) == len(calls)
            assert len(calls) == 1 or (parallel and choice == "required" and calls), f"{len(calls)} calls"
            assert choice == "required" or calls[0]["name"] == named, f"{calls[0]['name']} and not {named}"
            for call in calls:
                judge(call["arguments"], tools[call["name"]])

        yield answer, valid


def counted(what: str, answers, count: int) -> int:
    """Judges them all, says what came of it, and gives how many are not as they must be."""
    began, sums, wrong = time.monotonic(), {}, 0
    for number, (answer, valid) in enumerate(answers):
        try:
            [one] = answer["choices"]
            valid(one)
        except (AssertionError, ValueError) as error:
            wrong += 1
            print(f"{what} {number}: {error}", flush=True)
        for name, value in answer["costeer"].items():
            if isinstance(value, int):
                sums[name] = sums.get(name, 0) + value
        if number % 10 == 9:
            print(f"{what}: {number + 1} asked for, {wrong} wrong, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{what}: {count - wrong} of {count} valid, all steered, in {time.monotonic() - began:.0f} s: {json.dumps(sums)}", flush=True)
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("proxy")
    parser.add_argument("schemas", type=int)
    parser.add_argument("calls", type=int)
    parser.add_argument("answers")
    arguments = parser.parse_args()
    kept: list[dict] = []
    wrong = counted("answers in schemas", in_schemas(arguments.proxy, arguments.schemas, kept), arguments.schemas)
    with open(arguments.answers, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(one) + "\n" for one in kept)
    wrong += counted("forced calls", in_calls(arguments.proxy, arguments.calls), arguments.calls)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
