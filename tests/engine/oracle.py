#!/usr/bin/env python3
"""Judges steered answers by a model that has read the private context itself: oracle.py --proxy URL --judge URL [--prompts FILE].

Where the upstream and the small model have the same weights and the strength is 1, log p_LLM + delta is log p_private. So each steered token must be what
the model itself likes best after the private prompt. The judge is a llama.cpp server with those weights. It reads the private prompt and the steered answer,
and says at each position how much less it likes the token than its own best: the regret, in nats.

The proxy must run with steering.strength = 1, steering.delta_floor = 0, steering.exactness = "refetch" and context.placement = "system"; oracle.sh starts it so.
Exits with 1 where a regret is too large.
"""
import argparse
import json
import math
import sys
import threading
import urllib.request
from itertools import islice
from pathlib import Path
from typing import Iterator, NamedTuple

# What SmolLM2's template puts before a chat that has no system message. The upstream's template would add it, and the proxy's default is another, so
# the client sends it.
SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
# A regret that counts as more than rounding where weights are quantised.
NOTABLE = 0.1
# How many of the judge's likeliest tokens are looked at. A pick beyond them has the regret of the last at least.
LISTED = 200
# The last of the four slots of the judge's server.
COMPANY = 3
ROOT = Path(__file__).parents[2]


class Verdict(NamedTuple):
    """What the judge says about one token of an answer."""

    prompt: str
    position: int
    picked: int
    best: int
    regret: float


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--proxy", required=True, help="address of the proxy, without /v1")
    parser.add_argument("--judge", required=True, help="address of the llama.cpp server that judges; it needs two slots")
    parser.add_argument("--prompts", type=Path, default=ROOT / "training/eval/items.jsonl", help="lines with id, question and context")
    parser.add_argument("--count", type=int, default=48, help="prompts to take from the file (default: %(default)s)")
    parser.add_argument("--tokens", type=int, default=32, help="longest answer (default: %(default)s)")
    parser.add_argument("--largest", type=float, default=0.05, metavar="NATS", help="the largest regret allowed (default: %(default)s)")
    parser.add_argument(
        "--share", type=float, metavar="PER_CENT", help=f"allow this share of regrets above {NOTABLE} nats instead, for quantised weights"
    )
    parser.add_argument(
        "--company",
        action="store_true",
        help="keep one slot of the judge's server busy, so that the upstream's tokens are computed beside another; llama.cpp computes a lone token by "
        "other kernels, which differ on quantised weights",
    )
    parser.add_argument(
        "--control",
        action="store_true",
        help="judge what the judge's server itself writes after the private prompt, instead of steered answers: regrets are then what its own rounding makes",
    )
    return parser.parse_args()


# No proxy on the way to this machine, whatever the environment says.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(url: str, body: dict) -> dict:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with OPENER.open(request, timeout=600) as response:
        return json.load(response)


def chat(system: str, question: str) -> list[dict]:
    return [{"role": "system", "content": system}, {"role": "user", "content": question}]


def steered(proxy: str, item: dict, tokens: int) -> dict:
    """The answer's report, with a trace of it."""
    body = {
        "messages": chat(SYSTEM, item["question"]),
        "temperature": 0,
        "max_tokens": tokens,
        "costeer": {"context": item["context"], "trace": True},
    }
    return post(f"{proxy}/v1/chat/completions", body)["costeer"]


def private_prompt(judge: str, item: dict) -> list[int]:
    """The prompt of the private branch, as the proxy composes it: the context follows the system message."""
    messages = chat(f"{SYSTEM}\n\n{item['context']}", item["question"])
    text = post(f"{judge}/apply-template", {"messages": messages})["prompt"]
    return post(f"{judge}/tokenize", {"content": text, "add_special": False, "parse_special": True})["tokens"]


def own_answer(judge: str, item: dict, tokens: int) -> list[int]:
    """What the judge's server writes after the private prompt, one token at a time."""
    body = {"prompt": private_prompt(judge, item), "n_predict": tokens, "temperature": 0, "return_tokens": True, "cache_prompt": False}
    return post(f"{judge}/completion", body)["tokens"]


def judged(judge: str, item: dict, answer: list[int]) -> Iterator[Verdict]:
    prompt = private_prompt(judge, item)
    for position, picked in enumerate(answer):
        body = {
            "prompt": prompt + answer[:position],
            "n_predict": 1,
            "n_probs": LISTED,
            "temperature": 0,
            "cache_prompt": True,
            # Two slots in turn, so that two tokens are new to each: llama.cpp computes a lone token by other kernels, with other rounding.
            "id_slot": position % 2,
        }
        likeliest = post(f"{judge}/completion", body)["completion_probabilities"][0]["top_logprobs"]
        best, last = likeliest[0], likeliest[-1]
        logprobs = {entry["id"]: entry["logprob"] for entry in likeliest}
        regret = best["logprob"] - logprobs.get(picked, last["logprob"])
        yield Verdict(str(item["id"]), position, picked, best["id"], regret)


def keep_company(judge: str) -> None:
    """Has the server write something on its last slot for as long as this program runs."""
    body = {"prompt": "Once upon a time", "n_predict": 500, "ignore_eos": True, "temperature": 1, "cache_prompt": False, "id_slot": COMPANY}

    def write() -> None:
        while True:
            post(f"{judge}/completion", body)

    threading.Thread(target=write, daemon=True).start()


def main() -> None:
    arguments = parse_arguments()
    if arguments.company:
        keep_company(arguments.judge)
    with arguments.prompts.open(encoding="utf-8") as lines:
        items = [json.loads(line) for line in islice(lines, arguments.count)]
    verdicts: list[Verdict] = []
    changed = uncertified = 0
    for item in items:
        if arguments.control:
            answer = own_answer(arguments.judge, item, arguments.tokens)
        else:
            report = steered(arguments.proxy, item, arguments.tokens)
            answer = [position["id"] for position in report["trace"][0]["positions"]]
            changed += report["changed"]
            uncertified += report["uncertified"]
        for verdict in judged(arguments.judge, item, answer):
            verdicts.append(verdict)
            if verdict.regret > 0:
                print("prompt {} position {}: picked {} instead of {}, regret {:.4f}".format(*verdict))
    if not verdicts:
        sys.exit("no token was judged")
    positions = len(verdicts)
    regrets = [verdict.regret for verdict in verdicts]
    largest = max(regrets)
    share = 100 * sum(regret > NOTABLE for regret in regrets) / positions
    print(f"prompts {len(items)}, positions {positions}, changed by steering {changed}, uncertified {uncertified}")
    print(f"best at {sum(regret <= 0 for regret in regrets)} of {positions}, largest regret {largest:.4f}, above {NOTABLE} nats {share:.2f} %")
    passed = largest <= arguments.largest if arguments.share is None else share <= arguments.share
    sys.exit(0 if passed and math.isfinite(largest) else 1)


if __name__ == "__main__":
    main()
