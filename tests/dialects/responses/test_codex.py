"""What Codex really sends, and what becomes of it if some of it is missing or odd."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dialects.responses import Responses
from errors import RequestError
from reply import Finish, Reply, ReplyHead

CAPTURES = Path(__file__).parents[2] / "captures/clients"
TURNS = ("first", "second")


def captured(turn: str) -> bytes:
    return (CAPTURES / f"codex-0.171.0-{turn}.json").read_bytes()


@pytest.mark.parametrize("turn", TURNS)
def test_no_text_of_a_request_of_codex_is_lost(turn: str) -> None:
    """Recorded from the program itself; long texts are cut."""
    raw = captured(turn)
    asked = json.loads(raw)
    parsed = Responses().parse_request(raw)
    chat = json.loads(parsed.upstream.body)
    assert parsed.stream and parsed.model == asked["model"] and parsed.codes == {"tool_skipped"}
    told_texts = [message["content"] for message in chat["messages"]]
    for item in asked["input"]:
        for each in item.get("content") or []:
            if each["type"] in ("input_text", "output_text"):
                assert any(each["text"] in text for text in told_texts), each["text"]
    names = [tool["function"]["name"] for tool in chat["tools"]]
    assert "exec_command" in names and "multi_agent_v1__spawn_agent" in names
    assert set(names) == set(parsed.expectations.tools)
    if turn == "second":
        assistant, result = chat["messages"][-2:]
        assert assistant["reasoning_content"] == "I should run it." and assistant["content"] == "I run it."
        assert [call["function"]["name"] for call in assistant["tool_calls"]] == ["exec_command"]
        assert result["role"] == "tool" and "dragoman-42" in result["content"]
        assert parsed.ids == {assistant["tool_calls"][0]["id"]}


ODD: list[Any] = [None, True, 5, "x", [], {}, [[]], {"type": "function_call"}, [{"type": "input_image"}], "", [None]]


def places(value: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every part of a value stands."""
    yield where
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in members:
        yield from places(each, (*where, name))


def put(value: Any, where: tuple[Any, ...], odd: Any) -> None:
    """Replace a part, if it is still there; `...` removes it."""
    try:
        for name in where[:-1]:
            value = value[name]
        if odd is ...:
            del value[where[-1]]
        else:
            value[where[-1]] = odd
    except (LookupError, TypeError):
        pass


@pytest.mark.parametrize("turn", TURNS)
def test_odd_requests_are_refused_by_name_or_answered(turn: str) -> None:
    asked, dice, understood = json.loads(captured(turn)), random.Random(3), 0
    found = [where for where in places(asked) if where]
    for _ in range(200):
        changed = copy.deepcopy(asked)
        for _ in range(dice.randint(1, 3)):
            put(changed, dice.choice(found), dice.choice([..., *ODD]))
        dialect = Responses()
        try:
            parsed = dialect.parse_request(json.dumps(changed).encode())
        except RequestError as error:
            assert error.message
            continue
        understood += 1
        assert isinstance(json.loads(parsed.upstream.body)["messages"], list)
        reply = Reply(None, [(0, ReplyHead("i", 1, "m")), (0, Finish("stop"))])
        assert json.loads(dialect.write_whole(reply, parsed))["status"] == "completed"
    assert understood > 100
