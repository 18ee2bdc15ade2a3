"""Measures the exported pair without any server: `python -m pair.measure eval/items.jsonl`. The proxy's own table comes from evaluate.py."""
import argparse
import json
from pathlib import Path

import torch

from report import table
from world.checker import score

from . import prompts
from .decode import Branch, generate, load, steered

STRENGTHS = (0.476190, 1.0, 1.783257)
FLOORS = (0.0, 1e-4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("items", type=Path)
    parser.add_argument("--limit", type=int, help="only the first items")
    parser.add_argument("--placement", choices=("system", "user"), default="system")
    parser.add_argument("--top-k", type=int, default=20, help="0: the whole vocabulary")
    parser.add_argument("--strengths", type=float, nargs="*", default=STRENGTHS)
    parser.add_argument("--floors", type=float, nargs="*", default=FLOORS)
    parser.add_argument("--failures", type=int, default=0, help="how many failed answers of each system to print")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    items = [json.loads(line) for line in arguments.items.read_text().splitlines()][: arguments.limit]
    (llm, tokenizer), (slm, _) = load("llm"), load("slm")
    size = tokenizer.get_vocab_size()

    def branch(model, compose) -> Branch:
        return Branch(model, [tokenizer.encode(compose(item)).ids for item in items])

    def upstream() -> Branch:
        return branch(llm, lambda item: prompts.chatml(None, item["question"]))

    def public() -> Branch:
        return branch(slm, lambda item: prompts.public(item["question"]))

    def private() -> Branch:
        return branch(slm, lambda item: prompts.private(item["question"], item["context"], arguments.placement))

    def alone(scores):
        return scores

    systems = {
        "LLM alone": ([upstream], alone),
        "SLM alone": ([public], alone),
        "SLM with context": ([private], alone),
    }
    for floor in arguments.floors:
        for strength in arguments.strengths:
            name = f"steered, strength {strength:g}" + (f", floor {floor:g}" if floor else "")
            systems[name] = (
                [upstream, private, public],
                lambda base, priv, pub, c=strength, e=floor: steered(base, priv, pub, c, e, arguments.top_k),
            )
    results = {}
    for name, (branches, combine) in systems.items():
        answers = generate([make() for make in branches], combine, tokenizer, size)
        results[name] = [score(answer, item) for answer, item in zip(answers, items)]
        failed = [(item, answer, verdict) for item, answer, verdict in zip(items, answers, results[name]) if not verdict["success"]]
        for item, answer, verdict in failed[: arguments.failures]:
            print(f"[{name}] {item['id']} {[key for key, right in verdict.items() if not right]}\n  {item['context']!r}\n  {item['question']}\n  {answer}")
    print(table(results))


if __name__ == "__main__":
    main()
