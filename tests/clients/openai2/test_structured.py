"""Answers in a form that a schema gives."""

from typing import Literal

import instructor
import litellm
import openai
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

from support import BASE, MESSAGES, STEERED


class Dinner(BaseModel):
    diet: Literal["vegan", "fish", "meat"]
    guests: Literal[1, 2, 3]


def test_instructor():
    client = openai.OpenAI(base_url=BASE, api_key="unused", max_retries=0, timeout=60)
    ask = instructor.from_openai(client, mode=instructor.Mode.JSON_SCHEMA).chat.completions.create
    assert isinstance(ask(model=STEERED, messages=MESSAGES, response_model=Dinner, temperature=0, max_retries=0), Dinner)


def test_litellm():
    fields = {"temperature": 0, "api_base": BASE, "api_key": "unused", "num_retries": 0, "timeout": 60}
    answer = litellm.completion(model=f"openai/{STEERED}", messages=MESSAGES, response_format=Dinner, **fields)
    Dinner.model_validate_json(answer.choices[0].message.content)
