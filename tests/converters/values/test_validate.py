"""Finished arguments against their schema: what does not fit is named, and no schema costs more than it may."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from converters.values.validate import misfits

CITY: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "maximum": 9}},
    "required": ["city"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("arguments", "places"),
    [
        ('{"city": "x", "days": 9}', []),
        ('{"city": 5}', ["/properties/city/type"]),
        ('{"city": "x", "days": 10}', ["/properties/days/maximum"]),
        ("{}", ["/required"]),
        ('{"city": "x", "more": 1}', ["/additionalProperties"]),
        ('{"days": "soon"}', ["/properties/days/type", "/required"]),
        ('{"city": "x"', [""]),
    ],
)
def test_what_does_not_fit_is_named_by_its_place_in_the_schema(arguments: str, places: list[str]) -> None:
    assert misfits(arguments, CITY) == places


def test_references_and_older_drafts() -> None:
    schema = {"$defs": {"n": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/n"}}}
    assert misfits('{"a": "x"}', schema) == ["/properties/a/type"]
    older = {"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"a": {"minimum": 1}}}
    exclusive = {**older, "properties": {"a": {"minimum": 1, "exclusiveMinimum": True}}}
    assert misfits('{"a": 1}', older) == []
    assert misfits('{"a": 1}', exclusive) == ["/properties/a/minimum"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 3},
        {"properties": []},
        {"$ref": "#"},
        {"$ref": "#/nowhere"},
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"$schema": "http://127.0.0.1:9/meta.json", "type": "object"},
        {"properties": {"a": {"$dynamicRef": "#x"}}},
    ],
)
def test_a_schema_that_says_nothing_useful_finds_nothing(schema: dict[str, Any]) -> None:
    assert misfits('{"a": 1}', schema) == []


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("a schema was fetched")

    monkeypatch.setattr("socket.socket.connect", no_network)
    monkeypatch.setattr("socket.getaddrinfo", no_network)
    assert misfits('{"a": 1}', {"properties": {"a": {"$ref": "http://example.com/x.json"}}}) == []


def _bomb() -> dict[str, Any]:
    steps = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 8} for n in range(30)}
    return {"$defs": {**steps, "d30": {"type": "object"}}, "$ref": "#/$defs/d0"}


@pytest.mark.parametrize(
    ("arguments", "schema"),
    [
        ({"a": "a" * 40 + "!"}, {"properties": {"a": {"pattern": "^(a+)+$"}}}),
        ({"a" * 40 + "!": 1}, {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False}),
        ({"a": "a" * 40 + "!"}, {"propertyNames": {"pattern": "^(a|a)*$"}}),
        ({}, _bomb()),
        ({"a": [{"n": n} for n in range(9000)]}, {"properties": {"a": {"uniqueItems": True}}}),
        ({"a": list(range(500_000))}, {"properties": {"a": {"items": {"type": "integer"}}}}),
        ({"a": 1}, {"enum": [{"b": "x" * 300_000}]}),
    ],
)
def test_no_schema_and_no_arguments_take_long(arguments: Any, schema: dict[str, Any]) -> None:
    text = json.dumps(arguments)
    began = time.process_time()
    assert misfits(text, schema) == []
    assert time.process_time() - began < 2


def test_a_number_too_long_for_python_is_not_judged() -> None:
    assert misfits('{"a": ' + "9" * 5000 + "}", {"properties": {"a": {"type": "string"}}}) == []
    assert misfits("[" * 5000 + "]" * 5000, {"type": "object"}) == []
