import json

import pytest

from costeer_eval.formats import FORMATS, PREFERENCES, BadRow, load


def written(path, rows):
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def one(tmp_path, form, row):
    (item,) = load(written(tmp_path / "rows.jsonl", [row]), form)
    return item


def test_cogenesis_as_published(tmp_path):
    row = {"input": "Write a note.", "personalized_input": "I am a baker. Write a note.", "output": "Dear all"}
    item = one(tmp_path, "cogenesis", row)
    assert (item.id, item.question, item.context, item.reference) == ("1", "Write a note.", "I am a baker.", "Dear all")


def test_cogenesis_with_profile_and_history(tmp_path):
    row = {"id": "7", "input": "Write.", "reference": "Good.", "profile": "Name: Ada", "history": [{"task": "T", "content": "C"}]}
    item = one(tmp_path, "cogenesis", row)
    assert (item.id, item.context, item.reference) == ("7", "Name: Ada\n\nT\nC", "Good.")


@pytest.mark.parametrize(
    ("form", "entry", "told"),
    [
        ("longlamp_abstract", {"title": "On tea", "abstract": "We boil."}, "The abstract of “On tea” is: We boil."),
        ("longlamp_review", {"overall": 4, "description": "a pan", "summary": "Fine", "reviewText": "It fries."}, "4 of 5 to “a pan”"),
        ("longlamp_writing", {"summary": "rain", "content": "It pours."}, "About “rain” I wrote: It pours."),
    ],
)
def test_longlamp(tmp_path, form, entry, told):
    item = one(tmp_path, form, {"input": "Write another.", "top_5": [entry, "as it is"], "output": "Another."})
    assert told in item.context and item.context.endswith("as it is")
    with pytest.raises(BadRow, match="line 1.*top_5"):
        one(tmp_path, form, {"input": "Write another.", "top_5": [{"other": 1}]})
    with pytest.raises(BadRow, match="top_5"):
        one(tmp_path, form, {"input": "Write another.", "top_5": []})


@pytest.mark.parametrize("name", ["helpsteer", "personal_preference_eval", "truthfulqa", "ultrachat"])
@pytest.mark.parametrize("wish", PREFERENCES)
def test_questions_alone_go_with_a_preference(tmp_path, name, wish):
    item = one(tmp_path, f"{name}_{wish}", {"input": "Why?"})
    assert (item.question, item.context, item.reference) == ("Why?", PREFERENCES[wish], None)


def test_world(tmp_path):
    item = one(tmp_path, "world", {"id": "a", "question": "Q", "context": "C", "expected": {"topic": "dinner"}})
    assert item.row["expected"] == {"topic": "dinner"}


def test_limits(tmp_path):
    path = written(tmp_path / "rows.jsonl", [{"input": f"{index}", "personalized_input": "x" * 100} for index in range(5)])
    items = load(path, "cogenesis", limit=2, most_context=10)
    assert [len(item.context) for item in items] == [10, 10]


@pytest.mark.parametrize("text", ["", "\n", "[1]", "{", '{"input": 3}', '{"input": " "}'])
def test_what_is_no_row_is_refused(tmp_path, text):
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    with pytest.raises(BadRow, match="rows.jsonl"):
        load(path, "cogenesis")


def test_ids_are_unique(tmp_path):
    path = written(tmp_path / "rows.jsonl", [{"id": "a", "input": "1", "personalized_input": "p"}] * 2)
    with pytest.raises(BadRow, match="line 2: there is an item a already"):
        load(path, "cogenesis")


def test_the_eight_sets_and_the_world_are_there():
    assert len(FORMATS) == 1 + 1 + 3 + 4 * 4
