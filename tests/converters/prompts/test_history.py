"""Calls and results of a history as text: they are read back, nothing is lost, and a longer history begins the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.prompts import prompted
from tests.converters.prompts.conversations import TOOLS, Call, called, numbered, result, turns, user
from tests.helpers import ROWS, assemble, parse
from tests.properties.generated import assert_calls, calls_of, modest, schemas

CITY: Call = ("get_weather", {"city": "Seoul"})


def _written(row: str, *messages: dict[str, Any], tools: Sequence[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    return prompted(messages, tools, ROWS[row])


def _read_back(row: str, calls: Sequence[Call], text: str) -> None:
    messages = _written(row, called(calls, text))
    assert {message["role"] for message in messages} == {"assistant"}
    read = [assemble(parse(message["content"], schemas(calls), row=row)) for message in messages]
    assert_calls(read[-1], calls)
    assert "".join(message.content for message in read).strip() == text


@pytest.mark.parametrize("row", ROWS)
def test_a_past_call_is_read_back(row: str) -> None:
    @modest(12)
    @given(calls_of(row), st.sampled_from(["", "Let me look."]))
    def check(calls: list[Call], text: str) -> None:
        _read_back(row, calls, text)

    check()


@pytest.mark.parametrize("row", ROWS)
def test_a_longer_conversation_begins_with_the_shorter_one(row: str) -> None:
    @modest(6)
    @given(turns(row))
    def check(generated: list[list[dict[str, Any]]]) -> None:
        history = numbered(generated)
        whole = prompted([message for turn in history for message in turn], TOOLS, ROWS[row])
        so_far: list[dict[str, Any]] = []
        for turn in history:
            before_answers = [*(place for place, each in enumerate(turn) if each["role"] == "assistant"), len(turn)]
            for place in before_answers:
                messages = prompted([*so_far, *turn[:place]], TOOLS, ROWS[row])
                assert json.dumps(messages) == json.dumps(whole[: len(messages)])
            so_far += turn
        assert prompted(so_far, TOOLS, ROWS[row]) == whole

    check()


@pytest.mark.parametrize("row", ROWS)
def test_only_the_roles_that_every_template_has(row: str) -> None:
    messages = _written(
        row,
        {"role": "developer", "content": "Be brief."},
        user("Hi"),
        called([CITY, ("ping", {})], "Looking."),
        result("sunny"),
        result("pong", 1),
        {"role": "assistant", "content": "Sunny."},
        {"role": "developer", "content": "Be polite."},
        tools=TOOLS,
    )
    assert {message["role"] for message in messages} == {"system", "user", "assistant"}
    assert not [key for message in messages for key in message if key not in ("role", "content")]
    said = "\n".join(message["content"] for message in messages)
    for word in ("Be brief.", "Hi", "Seoul", "ping", "Looking.", "sunny", "pong", "Sunny.", "Be polite."):
        assert word in said
    assert [message["role"] for message in messages].count("user") == 2, "the results are one message"


def test_reasoning_and_other_fields_stay() -> None:
    (message,) = _written("hermes", called([CITY], "Hm.", reasoning_content="I think.", name="helper"))
    assert message["reasoning_content"] == "I think."
    assert message["name"] == "helper"
    spoken, calls = _written("llama3_json", called([CITY], "Hm.", reasoning_content="I think."))
    assert spoken == {"role": "assistant", "content": "Hm.", "reasoning_content": "I think."}
    assert calls == {"role": "assistant", "content": '{"name": "get_weather", "parameters": {"city": "Seoul"}}'}


@pytest.mark.parametrize("content", ["", None, []])
def test_no_text_beside_a_call(content: Any) -> None:
    for row in ("hermes", "qwen3_coder", "llama3_json"):
        (message,) = _written(row, {**called([CITY]), "content": content})
        assert assemble(parse(message["content"], ["get_weather"], row=row)).content == ""


def test_neighbouring_results_are_one_message_and_others_are_not() -> None:
    messages = _written("hermes", called([CITY, CITY]), result("a"), result("b", 1), user("go on"), result("c"))
    assert [message["content"] for message in messages[1:]] == [
        "<tool_response>\na\n</tool_response>\n<tool_response>\nb\n</tool_response>",
        "go on",
        "<tool_response>\nc\n</tool_response>",
    ]


def test_results_as_json_in_their_tags() -> None:
    (mistral,) = _written("mistral_old", result('{"a": 1.50}'))
    assert mistral["content"] == '[TOOL_RESULTS] {"content": {"a": 1.50}, "call_id": "call00000"}[/TOOL_RESULTS]'
    (mistral,) = _written("mistral_old", result('it\'s "sunny"'))
    assert '{"content": "it\'s \\"sunny\\"", ' in mistral["content"]
    messages = _written("cohere", called([CITY, CITY]), result("a\nb", 1))
    assert '"tool_call_id": "1"' in messages[1]["content"]
    assert '"0": "a\\nb"' in messages[1]["content"]


def test_an_image_in_a_result_is_told() -> None:
    parts = [
        {"type": "text", "text": "Here it is:"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "something", "of": 1},
        "plain",
    ]
    (message,) = _written("hermes", result(parts))
    assert message["content"] == (
        "<tool_response>\nHere it is:\n[An image stands here, which cannot be shown as text.]\n"
        '[Audio stands here, which cannot be shown as text.]\n{"type": "something", "of": 1}\nplain\n</tool_response>'
    )


def test_content_that_is_no_text() -> None:
    (message,) = _written("hermes", result({"temperature": 21}))
    assert '{"temperature": 21}' in message["content"]
    (message,) = _written("hermes", result(None))
    assert message["content"] == "<tool_response>\n\n</tool_response>"
    image = {"type": "image_url", "image_url": {"url": "x"}}
    (message,) = _written("hermes", user([image]))
    assert message == user([image]), "a message of the user stays what it is"
    thought = {"type": "thinking", "thinking": "I think."}
    (message,) = _written("hermes", {**called([CITY]), "content": [thought]})
    assert message["content"][0] == thought, "reasoning does not become text"
    (message,) = _written("hermes", {**called([CITY]), "content": [image]})
    assert message["content"][0] == image
    assert message["content"][1]["type"] == "text"
    assert "get_weather" in message["content"][1]["text"]


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        ("", {}),
        (None, {}),
        ("null", {}),
        ({"a": 1}, {"a": 1}),
        ("{broken", {"_raw": "{broken"}),
        ("[1]", {"_raw": [1]}),
        ('"text"', {"_raw": "text"}),
        ("[" * 5000, {"_raw": "[" * 5000}),
    ],
)
def test_arguments_that_are_no_object(arguments: Any, meant: dict[str, Any]) -> None:
    entry = {"id": "1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    for row in ("hermes", "glm45", "pythonic", "gemma4"):
        (message,) = _written(row, {"role": "assistant", "content": "", "tool_calls": [entry]})
        assert_calls(assemble(parse(message["content"], schemas([("f", meant)]), row=row)), [("f", meant)])


def test_numbers_keep_their_spelling() -> None:
    digits = '{"a": 0.10, "b": 1e400, "c": 12345678901234567890123, "d": -0}'
    entry = {"id": "1", "function": {"name": "f", "arguments": digits}}
    for row in ("hermes", "mistral_new"):
        (message,) = _written(row, {"role": "assistant", "content": "", "tool_calls": [entry]})
        assert digits in message["content"]
    (message,) = _written("glm45", {"role": "assistant", "content": "", "tool_calls": [entry]})
    assert "<arg_value>0.10</arg_value>" in message["content"]


def test_legacy_and_custom_calls() -> None:
    legacy = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": '{"a": 1}'}}
    answer = {"role": "function", "name": "f", "content": "done"}
    messages = _written("hermes", legacy, answer)
    assert messages == [
        {"role": "assistant", "content": '<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>'},
        user("<tool_response>\ndone\n</tool_response>"),
    ]
    custom = {"id": "1", "type": "custom", "custom": {"name": "run", "input": "ls -l"}}
    (message,) = _written("hermes", {"role": "assistant", "content": "", "tool_calls": [custom]})
    assert '{"name": "run", "arguments": {"input": "ls -l"}}' in message["content"]


def test_what_can_be_no_call_becomes_text() -> None:
    (message,) = _written("hermes", {"role": "assistant", "content": "Hm.", "tool_calls": [7, {"id": "x"}]})
    assert message["content"] == 'Hm.\n7\n{"id": "x"}'
    (message,) = _written("hermes", {"role": "assistant", "content": "Hm.", "tool_calls": None})
    assert message == {"role": "assistant", "content": "Hm."}


# -- ids ---------------------------------------------------------------------------------------------------------------


def test_kimi_keeps_its_own_ids_and_counts_others_through_the_conversation() -> None:
    kept = called([CITY])
    kept["tool_calls"][0]["id"] = "functions.get_weather:41"
    answer = {"role": "tool", "tool_call_id": "functions.get_weather:41", "content": "sunny"}
    messages = _written("kimi_k2", kept, answer, called([CITY, ("ping", {})]), result("a"), result("b", 1))
    first, told, second, more = (message["content"] for message in messages)
    assert "functions.get_weather:41<|" in first
    assert told == "## Return of functions.get_weather:41\nsunny"
    assert "functions.get_weather:1<|" in second
    assert "functions.ping:2<|" in second
    assert more == "## Return of functions.get_weather:1\na\n\n## Return of functions.ping:2\nb"


def test_an_id_that_names_another_function_is_not_kept() -> None:
    message = called([CITY])
    message["tool_calls"][0]["id"] = "functions.ping:0"
    (written,) = _written("kimi_k2", message)
    assert "functions.get_weather:0<|" in written["content"]


def test_solar_and_mistral_write_ids_of_the_history() -> None:
    for row in ("solar_open", "mistral_old"):
        messages = _written(row, called([CITY]), result("sunny"))
        assert all("call00000" in message["content"] for message in messages), row


def test_kimi_k3_counts_in_each_turn() -> None:
    messages = _written("kimi_k3", called([CITY]), result("a"), called([CITY], first_id=1), result("b", 1))
    assert [' index="1"' in message["content"] for message in messages] == [True] * 4


def test_an_orphan_is_told_with_what_is_known_of_it() -> None:
    (message,) = _written("muse_atem", {"role": "tool", "name": "ping", "content": "pong"})
    assert message["content"] == '<tool_output name="ping">\npong\n</tool_output>'
    (message,) = _written("kimi_k2", result("sunny", 7))
    assert message["content"] == "## Return of call00007\nsunny"
    (message,) = _written("kimi_k2", {"role": "tool", "content": "sunny"})
    assert message["content"] == "## Return of \nsunny"
