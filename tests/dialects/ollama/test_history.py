"""Messages of the Ollama API as messages of a chat request: calls get ids, and results find their calls."""

from __future__ import annotations

import json
import time
from typing import Any

from dialects.ollama.history import History
from tests.cases import in_one_test
from tests.dialects.ollama.test_request import parsed
from tests.servers import Json


def call(name: str, call_id: str | None = None, arguments: Any = None) -> Json:
    function = {"name": name, "arguments": {} if arguments is None else arguments}
    return {"function": function} if call_id is None else {"id": call_id, "function": function}


def calls(*made: Json, **more: Any) -> Json:
    return {"role": "assistant", "content": "", "tool_calls": list(made), **more}


def result(content: str, name: str | None = None, call_id: str | None = None) -> Json:
    told = {"tool_name": name, "tool_call_id": call_id}
    return {"role": "tool", "content": content, **{key: value for key, value in told.items() if value is not None}}


def answered(*messages: Json) -> dict[str, str]:
    """Which call each result belongs to: the result's text by `name of the call + its number`."""
    chat = History(messages, True).messages
    made = [each for message in chat for each in message.get("tool_calls", [])]
    ids = [each["id"] for each in made]
    assert len(set(ids)) == len(ids) and all(isinstance(each, str) and each for each in ids)
    names = {each["id"]: f"{each['function']['name']}{place}" for place, each in enumerate(made)}
    return {names.get(each["tool_call_id"], "?"): each["content"] for each in chat if each["role"] == "tool"}


@in_one_test(
    ("messages", "expected"),
    [
        ([calls(call("f")), result("one", "f")], {"f0": "one"}),
        ([calls(call("f")), result("one")], {"f0": "one"}),
        ([calls(call("f"), call("g")), result("one"), result("two")], {"f0": "one", "g1": "two"}),
        ([calls(call("f"), call("g")), result("two", "g"), result("one", "f")], {"f0": "one", "g1": "two"}),
        ([calls(call("f"), call("g")), result("two", "g"), result("one")], {"f0": "one", "g1": "two"}),
        ([calls(call("f"), call("f")), result("one", "f"), result("two", "f")], {"f0": "one", "f1": "two"}),
        ([calls(call("f"), call("g"), call("f")), result("1", "f"), result("3", "f"), result("2", "g")],
         {"f0": "1", "g1": "2", "f2": "3"}),
        ([calls(call("f", "a"), call("f", "b")), result("two", "f", "b"), result("one", "f", "a")],
         {"f0": "one", "f1": "two"}),
        # the client kept the ids of results and lost those of calls
        ([calls(call("f"), call("g")), result("one", "f", "x"), result("two", "g", "y")], {"f0": "one", "g1": "two"}),
        ([calls(call("f"), call("g")), result("one", None, "x"), result("two", None, "y")], {"f0": "one", "g1": "two"}),
        # a name that is none of theirs: the order decides
        ([calls(call("f"), call("g")), result("one", "F"), result("two", "G")], {"f0": "one", "g1": "two"}),
        # a call without a result in an earlier turn does not take one of a later turn
        ([calls(call("f")), {"role": "user", "content": "go on"}, calls(call("f")), result("two", "f")], {"f1": "two"}),
        ([calls(call("f")), result("one"), calls(call("f")), result("two")], {"f0": "one", "f1": "two"}),
        # one id for all calls
        ([calls(call("f", "x")), result("one", "f", "x"), calls(call("f", "x")), result("two", "f", "x")],
         {"f0": "one", "f1": "two"}),
        ([result("nobody asked")], {"?": "nobody asked"}),
        ([calls(call("f")), result("one"), result("again")], {"f0": "one", "?": "again"}),
    ],
)  # fmt: skip
def test_results_find_their_calls(messages: list[Json], expected: dict[str, str]) -> None:
    assert answered(*messages) == expected


def test_ids_are_kept_or_the_same_ones_are_invented_turn_after_turn() -> None:
    first = [{"role": "user", "content": "Hi"}, calls(call("f", "mine"), call("g"))]
    more = [*first, result("one", "f"), result("two", "g"), calls(call("f"), call("f", "call00001"))]
    short, long = (History(messages, True).messages for messages in (first, more))
    assert long[:2] == short
    made = [each["id"] for message in long for each in message.get("tool_calls", [])]
    assert made == ["mine", "call00000", "call00002", "call00001"]


def test_arguments_become_text_and_texts_stay() -> None:
    told = [call("f", None, {"city": "서울", "n": 1.5}), call("f", None, '{"a": 1}'), call("f", None, [1])]
    (message,) = History([calls(*told, {"function": {"name": "f"}})], True).messages
    arguments = [each["function"]["arguments"] for each in message["tool_calls"]]
    assert arguments == ['{"city": "서울", "n": 1.5}', '{"a": 1}', "[1]", "{}"]
    assert all(each["type"] == "function" for each in message["tool_calls"])


@in_one_test(
    ("message", "expected"),
    [
        ({"role": "user", "content": "a"}, {"role": "user", "content": "a"}),
        ({"role": "user"}, {"role": "user", "content": ""}),
        ({"role": "user", "content": None, "images": []}, {"role": "user", "content": ""}),
        ({"role": "control", "content": "thinking"}, {"role": "control", "content": "thinking"}),
        ({"role": "tool", "content": {"a": "é"}},
         {"role": "tool", "tool_call_id": "call00000", "content": '{"a": "é"}'}),
        ({"role": "user", "content": 7, "other": 1}, {"role": "user", "content": "7"}),
        ({"role": "user", "content": [{"type": "text", "text": "a"}]},
         {"role": "user", "content": [{"type": "text", "text": "a"}]}),
        ({"role": "tool", "content": "a", "name": "f"},
         {"role": "tool", "tool_call_id": "call00000", "name": "f", "content": "a"}),
        ({"role": "assistant", "content": "a", "thinking": "hm"},
         {"role": "assistant", "content": "a", "reasoning_content": "hm"}),
        ({"role": "assistant", "content": "a", "thinking": ""}, {"role": "assistant", "content": "a"}),
    ],
)  # fmt: skip
def test_a_message(message: Json, expected: Json) -> None:
    assert History([message], True).messages == [expected]


@in_one_test(
    ("image", "url"),
    [
        ("iVBORw0KGgoAAA", "data:image/png;base64,iVBORw0KGgoAAA"),
        ("/9j/4AAQ", "data:image/jpeg;base64,/9j/4AAQ"),
        ("R0lGODlh", "data:image/gif;base64,R0lGODlh"),
        ("UklGRiIA", "data:image/webp;base64,UklGRiIA"),
        ("QkAAAA", "data:image/bmp;base64,QkAAAA"),
        ("anything", "data:image/png;base64,anything"),
        ("data:image/png;base64,AA", "data:image/png;base64,AA"),
        ("https://x/a.png", "https://x/a.png"),
    ],
)
def test_images_stand_before_the_text(image: str, url: str) -> None:
    (message,) = History([{"role": "user", "content": "a", "images": [image]}], True).messages
    part = {"type": "image_url", "image_url": {"url": url}}
    assert message["content"] == [part, {"type": "text", "text": "a"}]
    (message,) = History([{"role": "user", "images": [image, image]}], True).messages
    assert message["content"] == [part, part]
    parts = [{"type": "text", "text": "a"}]
    (message,) = History([{"role": "tool", "content": parts, "images": [image]}], True).messages
    assert message["content"] == [part, *parts]


def test_reasoning_goes_back_only_where_the_template_takes_it() -> None:
    messages = [{"role": "assistant", "content": "a", "thinking": "hm"}, {"role": "user", "content": "b"}]
    for model, kept in (("zai-org/GLM-4.6", True), ("gpt-oss:20b", True), ("qwen3:8b", True), ("llama3.2", False)):
        request = parsed({"model": model, "messages": messages})
        (first, _) = json.loads(request.upstream.body)["messages"]
        assert first.get("reasoning_content") == ("hm" if kept else None), model
        assert request.codes == (frozenset() if kept else {"reasoning_dropped"}), model


def test_a_long_history_takes_linear_time() -> None:
    """One message with many calls, their results in the worst order, and ids that look like those we invent."""

    def seconds(count: int) -> float:
        made = [call(f"f{place % 7}", f"call{place:05d}" if place % 2 else None) for place in range(count)]
        results = [result("x", f"f{place % 7}") for place in reversed(range(count))]
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            chat = History([calls(*made), *results], True).messages
            best = min(best, time.process_time() - began)
        assert len({each["tool_call_id"] for each in chat[1:]}) == count
        return best

    assert seconds(20_000) < 12 * seconds(5_000)
