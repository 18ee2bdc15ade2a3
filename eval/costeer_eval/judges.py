"""Judges: each gives an answer numbers from 0 to 1, by name. The first name is what systems are compared by."""
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import sacrebleu
from nltk.translate.meteor_score import single_meteor_score
from rouge_score.rouge_scorer import RougeScorer

from .formats import Item

Verdict = dict[str, float]
TRAINING = Path(__file__).resolve().parents[2] / "training"


def by_world(answer: str, item: Item) -> Verdict:
    """The checker of the made-up world that the shipped pair was trained in. A judgement on several things is the share that is good; one on
    nothing is none."""
    judgements = world_score()(answer, item.row)
    verdict = {"success": float(judgements.pop("success"))}
    for name, judgement in judgements.items():
        several = judgement if isinstance(judgement, list) else [judgement]
        if several:
            verdict[name] = sum(several) / len(several)
    return verdict


@cache
def world_score() -> Callable:
    sys.path.insert(0, str(TRAINING))
    from world.checker import score

    return score


@cache
def rouge() -> RougeScorer:
    return RougeScorer(["rougeL", "rouge1", "rouge2"], use_stemmer=True)


@cache
def has_wordnet() -> bool:
    """METEOR looks for synonyms in WordNet, which NLTK does not bring along."""
    import nltk

    try:
        nltk.data.find("corpora/wordnet")
    except LookupError:
        print("METEOR is left out: it needs WordNet (python -m nltk.downloader wordnet)", file=sys.stderr)
        return False
    return True


def by_reference(answer: str, item: Item) -> Verdict:
    """ROUGE F1 (Lin 2004), BLEU (Papineni et al. 2002) and chrF (Popović 2015) of single answers, and METEOR where WordNet is installed."""
    if item.reference is None:
        return {"words": float(len(answer.split()))}
    found = rouge().score(item.reference, answer)
    verdict = {name: found[name].fmeasure for name in ("rougeL", "rouge1", "rouge2")}
    verdict["bleu"] = sacrebleu.sentence_bleu(answer, [item.reference]).score / 100
    verdict["chrf"] = sacrebleu.sentence_chrf(answer, [item.reference]).score / 100
    if has_wordnet():
        verdict["meteor"] = single_meteor_score(item.reference.split(), answer.split())
    return verdict


def judge_of(form: str) -> Callable[[str, Item], Verdict]:
    return by_world if form == "world" else by_reference
