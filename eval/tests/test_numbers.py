import json

import pytest

from costeer_eval.bootstrap import interval
from costeer_eval.compare import outside
from costeer_eval.formats import Item
from costeer_eval.journal import Journal
from costeer_eval.judges import by_reference, by_world
from costeer_eval.plots import against_speed, against_strength
from costeer_eval.report import judged, results, table


def test_intervals_hold_the_mean_and_shrink():
    few, many = interval([0.0, 1.0] * 20), interval([0.0, 1.0] * 500)
    assert few[0] == many[0] == 0.5
    assert few[1] < many[1] < 0.5 < many[2] < few[2]
    # The normal approximation is good for a thousand coins.
    assert many[1] == pytest.approx(0.5 - 1.96 * 0.5 / 1000**0.5, abs=0.004)
    assert interval([0.0, 1.0] * 20) == few
    uneven = [index**0.5 for index in range(40)]
    assert interval(uneven) != interval(uneven, seed=1)
    assert interval([1.0, 1.0]) == (1.0, 1.0, 1.0)


def test_references():
    item = Item("1", "q", "c", "the cat sat on the mat")
    same, other = by_reference("the cat sat on the mat", item), by_reference("dogs bark", item)
    for name in ("rougeL", "rouge1", "rouge2", "bleu", "chrf"):
        assert same[name] == pytest.approx(1.0) and other[name] < 0.2, name
    # Longest common subsequence: 3 words of 3 and of 6.
    assert by_reference("the sat mat", item)["rougeL"] == pytest.approx(2 * 1 * 0.5 / 1.5)
    assert by_reference("three words here", Item("1", "q", "c")) == {"words": 3.0}


def test_the_world_judges_itself():
    expected = {"topic": "dinner", "values": {"diet": "vegan"}, "tone": "casual", "length": "normal", "copied": {}}
    row = {"core": True, "expected": expected}
    good = by_world("Hey, grab a vegan dinner, like tofu with peppers! It is made from plants only.", Item("1", "q", "c", None, row))
    assert next(iter(good)) == "success" and good["success"] == good["attributes"] == 1.0
    assert by_world("Good day to you.", Item("1", "q", "c", None, row))["success"] == 0.0


def test_results_and_plots(tmp_path):
    items = [Item(str(index), "q", "c", "yes") for index in range(40)]
    journal = Journal(tmp_path / "answers.jsonl", {})
    for index, item in enumerate(items):
        journal.add({"system": "plain", "id": item.id, "answer": "no", "tokens": 2, "seconds": 0.1})
        journal.add({"system": "steered@1", "id": item.id, "answer": "yes" if index % 4 else "no", "tokens": 2, "seconds": 0.2})
    journal.add({"system": "steered@1", "id": "0", "error": "too long"})
    verdicts = judged(items, ["plain", "steered@1"], journal, by_reference)
    found = results(verdicts, journal, seed=1)
    assert found["plain"]["metrics"]["rougeL"] == {"mean": 0.0, "low": 0.0, "high": 0.0, "n": 40}
    assert found["steered@1"]["refused"] == 1 and found["steered@1"]["metrics"]["rougeL"]["n"] == 39
    difference = found["steered@1"]["differences"]["rougeL"]
    assert difference["low"] < 30 / 39 < difference["high"] and difference["n"] == 39
    assert (found["plain"]["tokens_per_second"], found["steered@1"]["tokens_per_second"]) == (20.0, 10.0)
    text = table(found)
    assert "| plain | 40 | 0.0 (0.0 – 0.0) | – |" in text and "| steered@1 | 39 | 76.9" in text
    assert against_strength(found, tmp_path / "a.svg") and against_speed(found, tmp_path / "b.svg")
    drawn = (tmp_path / "a.svg").read_text()
    assert against_strength(found, tmp_path / "a.svg") and (tmp_path / "a.svg").read_text() == drawn
    old = {"systems": json.loads(json.dumps(found))}
    assert outside(old, {"systems": found}) == []
    found["plain"]["metrics"]["rougeL"]["mean"] = 0.5
    assert outside(old, {"systems": found}) == ["rougeL of plain is 0.5, not within 0.0 and 0.0"]
