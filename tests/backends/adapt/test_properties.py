"""What holds for every adaptation: pure, loses nothing, idempotent, the same bytes as a conversation grows."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from backends.adapt.bodies import changed_members, read, rewritten, written
from backends.adapt.facts import Request
from backends.adapt.refusals import asked_for
from backends.adapt.silent import at_once
from backends.adapt.table import ADAPTATIONS, BY_NAME, Adaptation, adapted
from errors import ErrorInfo
from tests.backends.adapt.histories import ANY, Rounds, hostile_bodies, marks, request_of, rounds, several_facts

NAMES = tuple(BY_NAME)
LOSE_TEXT = {"without_reasoning": "reasoning_content"}
"""Adaptations that lose a text, which their row of the table says, and the member that carries it."""
some_names = st.lists(st.sampled_from(NAMES), unique=True, max_size=6)


def _each(body: Request) -> Iterator[tuple[Adaptation, Request]]:
    for each in ADAPTATIONS:
        yield each, each.apply(body, ANY)


@given(hostile_bodies)
@settings(max_examples=80, deadline=None)
def test_no_body_makes_an_adaptation_raise_or_change_what_it_got(body: Request) -> None:
    before = copy.deepcopy(body)
    for each, after in _each(body):
        assert body == before, each.name
        again = each.apply(after, ANY)
        assert again == after, each.name
        assert json.loads(written(again)) is not None, each.name


@given(hostile_bodies, some_names)
@settings(max_examples=50, deadline=None)
def test_no_body_makes_the_choice_of_adaptations_raise(body: Request, on: list[str]) -> None:
    for facts in several_facts():
        assert set(at_once(body, facts)) <= set(NAMES)
        json.loads(written(adapted(body, at_once(body, facts), facts)))
    for message in (
        "roles must alternate",
        "content must be a string",
        "unknown field: user",
        "does not support tools",
    ):
        assert not set(asked_for(ErrorInfo(400, {"message": message}), body, on)) & set(on)


@given(rounds(), st.lists(st.sampled_from(NAMES), unique=True, max_size=8))
@settings(max_examples=50, deadline=None)
def test_no_text_of_a_conversation_is_lost(parts: Rounds, names: list[str]) -> None:
    body = request_of(parts)
    for each, after in _each(body):
        gone = LOSE_TEXT.get(each.name)
        kept = dict(body)
        if gone:
            kept["messages"] = [{k: v for k, v in message.items() if k != gone} for message in body["messages"]]
        if each.name == "prompted":
            kept["messages"] = [_without_images(message) for message in kept["messages"]]
        assert marks(kept) <= marks(after), each.name
    together = adapted(body, [name for name in names if name not in (*LOSE_TEXT, "prompted")], ANY)
    assert marks(body) == marks(together)


def _without_images(message: dict[str, object]) -> dict[str, object]:
    content = message.get("content")
    if message["role"] != "tool" or not isinstance(content, list):
        return message
    return {**message, "content": [part for part in content if part.get("type") == "text"]}


@given(rounds(), some_names)
@settings(max_examples=50, deadline=None)
def test_twice_is_once(parts: Rounds, names: list[str]) -> None:
    body = request_of(parts)
    for each, after in _each(body):
        assert each.apply(after, ANY) is after, each.name
    once = adapted(body, names, ANY)
    assert adapted(once, names, ANY) == once


@given(rounds(), some_names)
@settings(max_examples=60, deadline=None)
def test_what_was_said_is_written_the_same_as_the_conversation_grows(parts: Rounds, names: list[str]) -> None:
    for chosen in ((), names, *((name,) for name in NAMES)):
        before: list[bytes] = []
        for end in range(1, len(parts) + 1):
            after = adapted(request_of(parts[:end]), chosen, ANY)
            now = [written(message) for message in after["messages"]]
            assert now[: len(before)] == before, chosen
            if "alternate" in chosen and end < len(parts) and parts[end][0]["role"] == "user":
                now.pop()  # what the user says behind results may be joined to what others made of these results
            before = now


@given(rounds(), some_names)
@settings(max_examples=30, deadline=None)
def test_only_what_changed_is_written_again(parts: Rounds, names: list[str]) -> None:
    body = request_of(parts)
    raw = json.dumps({**body, "temperature": 0.10}, ensure_ascii=False, indent=1).encode()
    raw = raw.replace(b'"temperature": 0.1', b'"temperature": 0.10,\n "seed": 1e2')
    before = read(raw)
    assert before is not None and adapted(before, (), ANY) is before and rewritten(raw, before, before) is raw
    after = adapted(before, names, ANY)
    new = rewritten(raw, before, after)
    assert json.loads(new) == json.loads(written(after))
    assert b'"temperature": 0.10' in new and b'"seed": 1e2' in new
    assert set(changed_members(before, after)) <= {"messages", "tools", "tool_choice"}
