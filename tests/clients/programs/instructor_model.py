"""Instructor: a model of Pydantic as the tool. It has no loop; what the tool tells is put to the answer here."""

import instructor
from loops import SECONDS, URL, play, weather
from openai import OpenAI
from pydantic import BaseModel

QUESTION = "What is the weather in 서울?"


class Weather(BaseModel):
    """The weather of a city."""

    city: str


def whole(model):
    client = OpenAI(base_url=f"{URL}/v1", api_key="none", max_retries=0, timeout=SECONDS)
    messages = [{"role": "user", "content": QUESTION}]
    asked = instructor.from_openai(client, mode=instructor.Mode.TOOLS)
    found = asked.chat.completions.create(model=model, response_model=Weather, messages=messages, max_retries=0)
    return weather(found.city)


play({"TOOLS": whole}, cities=("서울",))
