"""What clients need around the words of a reply is there when it leaves."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from backends.chat.envelope import mend_chunk, mend_reply, needs_no_repair
from wire import lossless_json

Json = dict[str, Any]
CHUNK: Json = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "a"}}]}
MESSAGE = {"role": "assistant", "content": "a"}
REPLY: Json = {
    "id": "x",
    "object": "chat.completion",
    "created": 7,
    "model": "m",
    "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}],
}


def with_delta(delta: Any, **choice: Any) -> Json:
    return {**CHUNK, "choices": [{"index": 0, "delta": delta, **choice}]}


@pytest.mark.parametrize(
    "chunk",
    [CHUNK, {**CHUNK, "id": None, "vendor": 1}, with_delta({"tool_calls": [{}]}), with_delta({"refusal": None})],
)
def test_a_right_chunk_is_left_alone(chunk: Json) -> None:
    before = copy.deepcopy(chunk)
    assert mend_chunk(chunk, apart=False) == set()
    assert chunk == before


@pytest.mark.parametrize(
    ("chunk", "code"),
    [
        ({"choices": CHUNK["choices"]}, "envelope"),
        ({**CHUNK, "object": "chat.completion"}, "envelope"),
        ({**CHUNK, "choices": [{"delta": {"content": "a"}}]}, "envelope"),
        ({**CHUNK, "choices": [{"index": None, "delta": {"content": "a"}}]}, "envelope"),
        (with_delta({"content": "a", "tool_calls": []}), "native_empty"),
        (with_delta({"content": "a", "tool_calls": None}), "native_empty"),
    ],
)
def test_what_is_missing_in_a_chunk(chunk: Json, code: str) -> None:
    changed = copy.deepcopy(chunk)
    assert not needs_no_repair(changed)
    assert mend_chunk(changed, apart=False) == {code}
    assert needs_no_repair(changed)
    assert changed == CHUNK


@pytest.mark.parametrize("delta", [None, "x", []])
def test_a_delta_is_an_object(delta: Any) -> None:
    chunk = with_delta(delta)
    assert mend_chunk(chunk, apart=False) == {"envelope"}
    assert chunk == with_delta({})


def test_an_exact_chunk_is_put_in_order_the_same_way() -> None:
    chunk = lossless_json.loads('{"choices": [{"index": 1, "delta": {"tool_calls": []}, "score": 1.50}]}')
    assert mend_chunk(chunk, apart=False) == {"envelope", "native_empty"}
    wanted = '{"choices": [{"index": 1, "delta": {}, "score": 1.50}], "object": "chat.completion.chunk"}'
    assert lossless_json.dumps(chunk) == wanted


@pytest.mark.parametrize(("apart", "indexes"), [(True, [0, 1]), (False, [0, 0])])
def test_choices_without_an_index(apart: bool, indexes: list[int]) -> None:
    chunk: Json = {**CHUNK, "choices": [{"delta": {}}, {"delta": {}}]}
    mend_chunk(chunk, apart)
    assert [choice["index"] for choice in chunk["choices"]] == indexes


def test_a_right_reply_is_left_alone() -> None:
    reply = copy.deepcopy(REPLY)
    assert mend_reply(reply, "asked", apart=False) == set()
    assert reply == REPLY


@pytest.mark.parametrize("name", ["id", "object", "created", "model"])
@pytest.mark.parametrize("value", [None, ...])
def test_what_is_missing_in_a_reply(name: str, value: Any) -> None:
    reply = {**copy.deepcopy(REPLY), name: value}
    if value is ...:
        del reply[name]
    assert mend_reply(reply, "asked", apart=False) == {"envelope"}
    assert isinstance(reply[name], int if name == "created" else str) and reply[name]
    if name in ("object", "model"):
        assert reply[name] == {"object": "chat.completion", "model": "asked"}[name]


def test_one_answer_in_two_choices() -> None:
    """Claude behind a gateway: text in the one, the call in the other; clients read the first."""
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    second = {"message": {"role": "assistant", "content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}
    first = {"message": {"role": "assistant", "content": "I'll"}, "finish_reason": "stop"}
    reply: Json = {**REPLY, "choices": [first, second]}
    assert mend_reply(reply, "m", apart=False) == {"envelope"}
    message = {"role": "assistant", "content": "I'll", "tool_calls": [call]}
    assert reply["choices"] == [{"index": 0, "message": message, "finish_reason": "tool_calls"}]


@pytest.mark.parametrize("choices", [None, 7, [], [7], {}])
def test_nothing_raises(choices: Any) -> None:
    mend_chunk({**CHUNK, "choices": choices}, apart=False)
    mend_reply({**REPLY, "choices": choices}, "m", apart=True)
