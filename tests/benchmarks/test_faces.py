"""The client APIs beside chat: the same conversation is asked, and the figures reach the rows of what must hold."""

from __future__ import annotations

import json
from argparse import Namespace

import pytest

from backends import Backend
from benchmarks import faces, wire
from benchmarks.figures import ROWS, Figures
from dialects import all_dialects
from tests.answers import Json


def test_the_same_is_asked_through_each_api() -> None:
    for size in faces.SIZES:
        bodies = faces.requests(size)
        assert all(0.7 * size < len(body) < 1.3 * size for body in bodies.values())
        asked: dict[str, Json] = {}
        for dialect in all_dialects("reasoning_content", lambda: 0):
            if dialect.name in bodies:
                asked[dialect.name] = json.loads(dialect.parse_request(bodies[dialect.name]).upstream.body)
        chat = asked["chat"]
        for name in ("responses", "messages"):
            assert asked[name]["tools"] == chat["tools"]
            assert [each["role"] for each in asked[name]["messages"]] == [each["role"] for each in chat["messages"]]
            assert [each["content"] for each in asked[name]["messages"]] == [
                each["content"] for each in chat["messages"]
            ]


def test_figures_of_the_apis_are_rows(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Backend, "open", Backend.open)  # so that it is put back
    monkeypatch.setattr(wire, "available", lambda: False)  # what needs a compiler is left out
    monkeypatch.setattr(faces, "SIZES", (3_000,))
    monkeypatch.setattr(faces, "_REPEATS", {3_000: 1})
    monkeypatch.setattr(faces, "_CHUNKS", 20)
    monkeypatch.setattr(faces, "_STREAMS", 1)
    lines = faces.measure(Namespace(rounds=1))
    assert {(line["api"], line["what"]) for line in lines} == {
        (api, what) for api in faces.APIS for what in ("sent", "chunk")
    }
    assert all(line["us"] > 0 and line["ratio"] > 0 for line in lines)
    assert all(line["ratio"] == 1 for line in lines if line["api"] == "chat")
    figures = Figures(lines)
    for number, api, what in (("15a", "responses", "chunk"), ("15b", "messages", "chunk")):
        row = next(row for row in ROWS if row.number == number)
        worst = max(line["ratio"] for line in lines if (line["api"], line["what"]) == (api, what))
        assert row.value(figures, "dragoman") == worst
    assert "responses" in capsys.readouterr().out
