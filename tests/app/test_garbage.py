"""Nothing of an exchange is left to the garbage collector: nobody is served while it looks through all streams."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator

import pytest
from flask import Flask

from app import create_app
from config import Config
from tests.cases import in_one_test
from tests.helpers import chunks
from tests.servers import TOOLS, Answer, ScriptedBackend, ask, completion, json_answer, said

pytestmark = pytest.mark.long

OURS = ("backends.", "converters.", "dialects.", "records.", "reply.", "serving.", "streaming.", "telemetry.", "wire.")
CALL = "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Seoul</arg_value>\n</tool_call>"
FENCED = '```json\n{"name": "get_weather", "arguments": {"city": "Seoul"}}\n```'


@pytest.fixture(scope="module")
def app() -> Iterator[tuple[Flask, ScriptedBackend]]:
    with ScriptedBackend() as backend:
        yield create_app(Config.from_environment({"BACKEND_URL": backend.url, "CHAT_TEMPLATES": "off"})), backend


EXCHANGES = {
    "a text": (False, json_answer(completion("Hello."))),
    "a call": (False, json_answer(completion(CALL))),
    "a call in a fence": (False, json_answer(completion(FENCED))),
    "a call in JSON": (False, json_answer(completion(FENCED[8:-4]))),
    "a call of another row": (False, json_answer(completion(f"<tool_call>\n{FENCED[8:-4]}\n</tool_call>"))),
    "half a call": (False, json_answer(completion(CALL[:60]))),
    "a refusal": (False, json_answer({"error": {"message": "no"}}, 400)),
    "no answer": (False, Answer([], 200)),
    "a stream": (True, Answer(said(*chunks("Hello.", 3)))),
    "a streamed call": (True, Answer(said(*chunks(CALL, 5)))),
    "a stream that breaks off": (True, Answer(said(*chunks("Hello.", 3))[:2])),
}


@in_one_test("name", EXCHANGES)
def test_no_object_of_ours_is_left(app: tuple[Flask, ScriptedBackend], name: str) -> None:
    application, backend = app
    stream, answer = EXCHANGES[name]

    def exchange() -> None:
        backend.answer = answer
        with application.test_client() as client:
            client.post("/v1/chat/completions", json=ask(stream=stream, model="glm-4.5", tools=TOOLS)).get_data()

    exchange()
    gc.collect()
    gc.disable()
    try:
        exchange()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = [f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not [each for each in left if each.startswith(OURS)], json.dumps(left)
