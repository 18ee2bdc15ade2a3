"""DSPy's language model. The small pair cannot fill in DSPy's forms, so it is asked directly."""

import dspy
import pytest
from dspy.utils.exceptions import LMInvalidRequestError

from support import BASE, NAME, PLAIN, QUESTION, STEERED


def model(name=STEERED, **fields):
    fields = {"temperature": 0, "max_tokens": 200, "cache": False, "num_retries": 0} | fields
    return dspy.LM(f"openai/{name}", api_base=BASE, api_key="unused", **fields)


def test_a_model_is_steered(text):
    assert model()(QUESTION) == [text]
    assert NAME not in model(PLAIN)(QUESTION)[0]


def test_an_error():
    with pytest.raises(LMInvalidRequestError):
        model(temperature=3)(QUESTION)
