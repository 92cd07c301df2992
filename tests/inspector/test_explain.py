"""`POST /dragoman/api/explain`: what becomes of a text that somebody pastes, and why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings, strategies
from werkzeug.test import TestResponse

from app import create_app
from config import Config
from records.pasted import MOST_CHARACTERS
from tests.answers import TOOLS, Json
from tests.cases import in_one_test
from tests.helpers import Case, corpus
from tests.hostile import FRAGMENTS, NAMES
from tests.streaming.test_reasons import CALL

PATH = "/dragoman/api/explain"
JSON = "application/json"


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Config.from_environment({"BACKEND_URL": "http://127.0.0.1:9", "RECORD": "off"})).test_client()


def post(client: FlaskClient, body: object) -> TestResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(PATH, data=data, content_type=JSON)


def explained(client: FlaskClient, **body: Any) -> Json:
    response = post(client, body)
    assert response.status_code == 200, response.get_data()
    told: Json = response.get_json()
    assert set(told) == {"syntax", "spans", "message", "codes", "verdict"}
    text = "".join(span["raw"] for span in told["spans"])
    assert text == body.get("text", "")
    assert all(span["end"] == span["start"] + len(span["raw"]) for span in told["spans"])
    return told


def test_a_call(client: FlaskClient) -> None:
    told = explained(client, text=f"Sure. {CALL}", tools=TOOLS, model="Qwen/Qwen3-8B")
    assert told["syntax"] == "hermes" and told["verdict"]["code"] == "translated"
    (call,) = told["message"]["calls"]
    assert (call["name"], json.loads(call["arguments"])) == ("get_weather", {"city": "Seoul"})
    assert told["message"]["content"] == "Sure." and told["message"]["finish_reason"] == "tool_calls"
    assert [span["kind"] for span in told["spans"]] == ["content", "removed", "call"]


def test_why_there_is_no_call(client: FlaskClient) -> None:
    text = f"Like this:\n```\n{CALL}\n```\n"
    told = explained(client, text=text, tools=TOOLS)
    assert told["syntax"] is None and told["verdict"]["code"] == "quoted" and not told["message"]["calls"]
    assert {"code": "quoted", "meaning": told["spans"][1]["meaning"]} in told["codes"]
    assert told["spans"][1]["raw"] == "<tool_call>" and told["spans"][1]["code"] == "quoted"


@in_one_test(
    "tools",
    [
        TOOLS,
        [tool["function"] for tool in TOOLS],
        [{"name": "get_weather", "input_schema": {"type": "object"}}],
        [{"name": "get_weather", "inputSchema": None}],
        [{"name": "get_weather"}],
    ],
)
def test_tools_in_the_form_of_any_api(client: FlaskClient, tools: list[Json]) -> None:
    assert explained(client, text=CALL, tools=tools)["message"]["calls"][0]["name"] == "get_weather"


@in_one_test("body", [{}, {"text": ""}, {"text": "Hello.", "tools": [], "model": None}, {"text": "\ud800 é"}])
def test_little_is_enough(client: FlaskClient, body: Json) -> None:
    response = post(client, body)
    assert response.status_code == 200 and response.get_json()["verdict"]["code"] in ("plain", "empty")


@in_one_test(
    ("body", "param"),
    [
        ({"text": 7}, "text"),
        ({"text": "x" * (MOST_CHARACTERS + 1)}, "text"),
        ({"text": "", "model": []}, "model"),
        ({"text": "", "tools": {}}, "tools"),
        ({"text": "", "tools": [{"name": "f"}] * 257}, "tools"),
        ({"text": "", "tools": [7]}, "tools[0]"),
        ({"text": "", "tools": [{"name": "f"}, {"type": "function", "function": 7}]}, "tools[1]"),
        ({"text": "", "tools": [{}]}, "tools[0].name"),
        ({"text": "", "tools": [{"name": "f", "parameters": []}]}, "tools[0].parameters"),
        ([], None),
        (b"{", None),
        (b"[" * 9000, None),
    ],
)
def test_a_field_that_is_wrong_is_named(client: FlaskClient, body: object, param: str | None) -> None:
    response = post(client, body)
    assert (response.status_code, response.get_json()["error"]["param"]) == (400, param)


def test_too_much_is_refused(client: FlaskClient) -> None:
    assert post(client, {"text": "", "more": "x" * (1 << 20)}).status_code == 413


@in_one_test("case", corpus()[::7], ids=str)
def test_the_corpus(client: FlaskClient, case: Case) -> None:
    tools = [{"name": name, "parameters": dict(schema)} for name, schema in case.tools.items()]
    told = explained(client, text=case.text, tools=tools)
    assert told["verdict"]["text"]


@given(parts=strategies.lists(strategies.sampled_from([*FRAGMENTS, *NAMES]), max_size=12))
@settings(max_examples=100, deadline=None)
def test_no_text_raises(client: FlaskClient, parts: list[str]) -> None:
    explained(client, text="".join(parts).encode(errors="replace").decode(), tools=TOOLS)
